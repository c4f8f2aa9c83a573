using System.Text;

namespace EventMesh.Plugins.Dispatch.Internal;

/// <summary>The channels that a plugin asks for: exact names, and prefixes that end in <c>*</c>. Compared byte by byte.</summary>
internal sealed class ChannelPatterns
{
    /// <summary>Every channel.</summary>
    public static readonly ChannelPatterns All = new(["*"]);

    private const int MaxBytes = 128;
    private readonly HashSet<string> _exact = [];
    private readonly List<string> _prefixes = [];

    /// <summary>Takes the patterns over.</summary>
    /// <exception cref="ArgumentException">One of them is none.</exception>
    public ChannelPatterns(IEnumerable<string> patterns)
    {
        Patterns = [.. patterns];
        foreach (string pattern in Patterns)
        {
            if (string.IsNullOrEmpty(pattern) || Encoding.UTF8.GetByteCount(pattern) > MaxBytes)
                throw new ArgumentException($"the channel '{pattern}' does not have 1 to {MaxBytes} bytes of UTF-8", nameof(patterns));
            int star = pattern.IndexOf('*', StringComparison.Ordinal);
            if (star >= 0 && star != pattern.Length - 1)
                throw new ArgumentException($"the channel '{pattern}' has a '*' that is not its last character", nameof(patterns));
            if (star < 0)
                _exact.Add(pattern);
            else
                _prefixes.Add(pattern[..^1]);
        }

        // The longest prefix is the closest match, and the one that telemetry shows.
        _prefixes.Sort((a, b) => b.Length.CompareTo(a.Length));
    }

    /// <summary>The patterns as they were given.</summary>
    public IReadOnlyList<string> Patterns { get; }

    /// <summary>Whether a channel matches, and which pattern: of low cardinality, whatever channels peers invent.</summary>
    public bool TryMatch(string channel, out string pattern)
    {
        if (_exact.Contains(channel))
        {
            pattern = channel;
            return true;
        }

        foreach (string prefix in _prefixes)
        {
            if (channel.StartsWith(prefix, StringComparison.Ordinal))
            {
                pattern = $"{prefix}*";
                return true;
            }
        }

        pattern = string.Empty;
        return false;
    }
}
