using System.CommandLine;
using System.Globalization;

namespace EventMesh.Host.Commands;

/// <summary>Options whose parse errors say in one line what they take; the library's own name CLR types.</summary>
internal static class StrictOption
{
    /// <summary>An option that takes the name of a member, in any case.</summary>
    public static Option<T> Of<T>(string name, params string[] aliases)
        where T : struct, Enum => Create<T>(name, aliases);

    /// <summary>The same, null when it is not given.</summary>
    public static Option<T?> OfOptional<T>(string name)
        where T : struct, Enum => Create<T?>(name, []);

    /// <summary>An option that takes a whole number.</summary>
    public static Option<long?> Number(string name, long least) => new(name)
    {
        CustomParser = result =>
        {
            string text = result.Tokens[^1].Value;
            if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long value) && value >= least) return value;
            result.AddError($"{name} takes a whole number from {least}, not '{text}'.");
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
