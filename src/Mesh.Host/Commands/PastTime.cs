using System.CommandLine;
using System.Globalization;

namespace EventMesh.Host.Commands;

/// <summary>Times that have passed, as people give them: ISO 8601 with a zone, or how long ago.</summary>
internal static class PastTime
{
    // A hundred years: what is longer is meant for ever.
    private const long MaxDays = 36_500;

    private static readonly string[] Forms = ["yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK", "yyyy-MM-dd'T'HH:mmK"];

    /// <summary>An option that takes such a time.</summary>
    public static Option<DateTimeOffset?> Option(string name, string description) => new(name)
    {
        Description = $"{description} A time with its zone such as 2026-11-22T14:00:00Z, or how long ago: -90s, -15m, -2h, -7d.",
        HelpName = "time",
        CustomParser = result =>
        {
            if (TryParse(result.Tokens[^1].Value, TimeProvider.System.GetUtcNow(), out DateTimeOffset time, out string error)) return time;
            result.AddError($"{name} {error}");
            return null;
        },
    };

    /// <summary>Reads a time.</summary>
    /// <param name="text">What was given.</param>
    /// <param name="now">From when what is relative counts.</param>
    /// <param name="time">The time, in UTC.</param>
    /// <param name="error">What is wrong with it, as the end of a sentence that begins with the option's name.</param>
    public static bool TryParse(string text, DateTimeOffset now, out DateTimeOffset time, out string error)
    {
        time = default;
        error = "";
        if (text.StartsWith('-') && TryParseAgo(text.AsSpan(1), out TimeSpan ago))
        {
            time = (now - ago).ToUniversalTime();
            return true;
        }
        if (!DateTimeOffset.TryParseExact(text, Forms, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset parsed))
        {
            error = $"takes a time with its zone such as 2026-11-22T14:00:00Z, or how long ago such as -2h or -7d (s, m, h, d; at most {MaxDays}d), not '{text}'.";
            return false;
        }
        // Without a zone it would be the machine's, which need not be the operator's.
        if (!text.EndsWith('Z') && !(text.Length > 6 && text[^6] is '+' or '-'))
        {
            error = $"needs a zone: is '{text}' UTC ('{text}Z') or another, such as '{text}+02:00'?";
            return false;
        }
        if (parsed > now)
        {
            error = $"takes a time that has passed: '{text}' is in the future.";
            return false;
        }
        time = parsed.ToUniversalTime();
        return true;
    }

    private static bool TryParseAgo(ReadOnlySpan<char> text, out TimeSpan ago)
    {
        ago = default;
        long unit = text.IsEmpty ? 0 : text[^1] switch
        {
            's' => TimeSpan.TicksPerSecond,
            'm' => TimeSpan.TicksPerMinute,
            'h' => TimeSpan.TicksPerHour,
            'd' => TimeSpan.TicksPerDay,
            _ => 0,
        };
        if (unit == 0 || !long.TryParse(text[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out long number)
            || number > MaxDays * (TimeSpan.TicksPerDay / unit))
            return false;
        ago = TimeSpan.FromTicks(number * unit);
        return true;
    }
}
