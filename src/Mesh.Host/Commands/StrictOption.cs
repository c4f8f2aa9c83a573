using System.CommandLine;
using System.Globalization;

namespace EventMesh.Host.Commands;

/// <summary>Options whose parse errors say in one line what they take; the library's own name CLR types.</summary>
internal static class StrictOption
{
    // A hundred years: what is longer is meant for ever.
    private const long MaxDays = 36_500;

    /// <summary>An option that takes the name of a member, in any case.</summary>
    public static Option<T> Of<T>(string name, params string[] aliases)
        where T : struct, Enum => Create<T>(name, aliases);

    /// <summary>The same, null when it is not given.</summary>
    public static Option<T?> OfOptional<T>(string name)
        where T : struct, Enum => Create<T?>(name, []);

    /// <summary>An option that takes a whole number.</summary>
    public static Option<long?> Number(string name, long least, long most = long.MaxValue) => new(name)
    {
        CustomParser = result =>
        {
            string text = result.Tokens[^1].Value;
            if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long value) && value >= least && value <= most) return value;
            result.AddError($"{name} takes a whole number from {least}{(most < long.MaxValue ? $" to {most}" : "")}, not '{text}'.");
            return null;
        },
    };

    /// <summary>An option that takes a positive duration: a whole number and one of s, m, h, d.</summary>
    public static Option<TimeSpan?> Duration(string name) => new(name)
    {
        CustomParser = result =>
        {
            string text = result.Tokens[^1].Value;
            long unit = text.Length == 0 ? 0 : text[^1] switch
            {
                's' => TimeSpan.TicksPerSecond,
                'm' => TimeSpan.TicksPerMinute,
                'h' => TimeSpan.TicksPerHour,
                'd' => TimeSpan.TicksPerDay,
                _ => 0,
            };
            if (unit > 0 && int.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out int number)
                && number > 0 && number <= MaxDays * (TimeSpan.TicksPerDay / unit))
                return TimeSpan.FromTicks(number * unit);
            result.AddError($"{name} takes a duration such as 30s, 15m, 2h or 7d, at most {MaxDays}d, not '{text}'.");
            return null;
        },
    };

    /// <summary>An option that takes a time with its zone (RFC 3339).</summary>
    public static Option<DateTimeOffset?> Time(string name) => new(name)
    {
        CustomParser = result =>
        {
            string text = result.Tokens[^1].Value;
            string[] forms = ["yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK", "yyyy-MM-dd'T'HH:mmK"];
            // Without a zone it would be the machine's, which is not the node's operator's by need.
            bool hasZone = text.EndsWith('Z') || (text.Length > 6 && text[^6] is '+' or '-');
            if (hasZone && DateTimeOffset.TryParseExact(text, forms, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset time))
                return time.ToUniversalTime();
            result.AddError($"{name} takes a time with its zone such as 2027-01-31T12:00:00Z, not '{text}'.");
            return null;
        },
    };

    private static Option<T> Create<T>(string name, string[] aliases)
    {
        Type type = Nullable.GetUnderlyingType(typeof(T)) ?? typeof(T);
        string[] names = [.. Enum.GetNames(type).Select(n => n.ToLowerInvariant())];
        return new Option<T>(name, aliases)
        {
            HelpName = string.Join('|', names),
            CustomParser = result =>
            {
                string text = result.Tokens[^1].Value;
                if (names.Contains(text, StringComparer.OrdinalIgnoreCase)) return (T)Enum.Parse(type, text, ignoreCase: true);
                result.AddError($"{name} takes {string.Join(" or ", names)}, not '{text}'.");
                return default;
            },
        };
    }
}
