using EventMesh.Events;
using EventMesh.Journal;

namespace EventMesh.Marten.Store.Internal;

/// <summary>Which events of a log to read.</summary>
internal sealed record LogFilter
{
    private LogFilter(string condition, string[]? values)
    {
        Condition = condition;
        Values = values;
    }

    public static LogFilter None { get; } = new("", null);

    /// <summary>SQL, begun with <c>and</c>; <see cref="Values"/> is its parameter $4.</summary>
    public string Condition { get; }

    public string[]? Values { get; }

    /// <summary>By stream, so that an event that this program does not know is met and refused, not passed over.</summary>
    public static LogFilter Families(IReadOnlySet<StreamFamily>? families) =>
        families is null ? None : new("and split_part(stream_id, '/', 1) = any($4)", [.. families.Select(StreamName)]);

    /// <summary>By name on disk: everything but what is known and not among these, so that an unknown event is met and refused, not passed over.</summary>
    public static LogFilter Concerning(IEnumerable<string> names) =>
        new("and type <> all($4)", [.. EventRegistry.Default.All.Select(descriptor => descriptor.WireName).Except(names, StringComparer.Ordinal)]);

    // The part of the stream's key before the month.
    private static string StreamName(StreamFamily family) => EventRegistry.StreamKey(family, DateTimeOffset.UnixEpoch).Split('/')[0];
}
