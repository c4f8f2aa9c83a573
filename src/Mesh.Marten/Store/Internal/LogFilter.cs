using EventMesh.Events;
using EventMesh.Journal;

namespace EventMesh.Marten.Store.Internal;

/// <summary>Which events of a log to read.</summary>
internal sealed record LogFilter
{
    private LogFilter(string condition, string blockCondition, string[]? values)
    {
        Condition = condition;
        BlockCondition = blockCondition;
        Values = values;
    }

    public static LogFilter None { get; } = new("", "", null);

    /// <summary>SQL, begun with <c>and</c>; <see cref="Values"/> is its parameter $4.</summary>
    public string Condition { get; }

    /// <summary>SQL, begun with <c>and</c>: whether a block can hold such an event.</summary>
    public string BlockCondition { get; }

    public string[]? Values { get; }

    /// <summary>By stream, so that an event that this program does not know is met and refused, not passed over.</summary>
    public static LogFilter Families(IReadOnlySet<StreamFamily>? families)
    {
        if (families is null)
            return None;
        string[] names = [.. families.Select(StreamName)];
        // Without months a family is one stream, which the index on streams finds among any number of other events, and stands in no block.
        return families.Contains(StreamFamily.Peers) || families.Contains(StreamFamily.Cache)
            ? new("and split_part(stream_id, '/', 1) = any($4)", "and family = any($4)", names)
            : new("and stream_id = any($4)", "and false", names);
    }

    /// <summary>Without the events that are known and not wanted; one that this program does not know is met and refused.</summary>
    public static LogFilter Events(EventRegistry registry, IReadOnlyCollection<Type> wanted) => new(
        "and type <> all($4)", "and not kinds <@ $4",
        [.. registry.Readable.Where(descriptor => !wanted.Contains(descriptor.Type)).Select(descriptor => descriptor.WireName)]);

    /// <summary>These alone, by name on disk: for questions that an unknown event can't concern.</summary>
    public static LogFilter Only(IEnumerable<string> names) => new("and type = any($4)", "and kinds && $4", [.. names]);

    // The part of the stream's key before the month.
    private static string StreamName(StreamFamily family) => EventRegistry.StreamKey(family, DateTimeOffset.UnixEpoch).Split('/')[0];
}
