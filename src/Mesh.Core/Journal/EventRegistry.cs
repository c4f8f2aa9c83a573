using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Reflection;
using EventMesh.Events;

namespace EventMesh.Journal;

/// <summary>
/// The events a log may hold: their names on disk, their CLR types and their streams. Names on disk outlive CLR names, so nothing
/// else may translate between the two.
/// </summary>
/// <remarks>Immutable; all members may be called concurrently.</remarks>
public sealed class EventRegistry
{
    private readonly FrozenDictionary<string, EventDescriptor> _byName;
    private readonly FrozenDictionary<Type, EventDescriptor> _byType;

    /// <summary>Makes a registry of event types.</summary>
    /// <param name="types">The events, each in its newest version.</param>
    /// <param name="upcasts">What reads the older versions of them: from version 1 on, or from whichever the log may still hold, to the newest without a gap.</param>
    /// <exception cref="ArgumentException">
    /// A type is no sealed event with a <see cref="MeshEventAttribute"/>, two have the same name on disk, or an upcast leads to no registered version.
    /// </exception>
    public EventRegistry(IEnumerable<Type> types, IEnumerable<EventUpcast>? upcasts = null)
    {
        ArgumentNullException.ThrowIfNull(types);
        var byName = new Dictionary<string, EventDescriptor>(StringComparer.Ordinal);
        foreach (Type type in types)
        {
            EventDescriptor descriptor = Describe(type);
            if (!byName.TryAdd(descriptor.WireName, descriptor))
                throw new ArgumentException($"{type} and {byName[descriptor.WireName].Type} are both named '{descriptor.WireName}'.", nameof(types));
        }
        All = [.. byName.Values.OrderBy(descriptor => descriptor.WireName, StringComparer.Ordinal)];
        _byType = All.ToFrozenDictionary(descriptor => descriptor.Type);
        // From the newest version down: each older one goes the way of the next after its own step.
        foreach (EventUpcast upcast in (upcasts ?? []).OrderByDescending(upcast => upcast.FromVersion))
        {
            if (!byName.TryGetValue($"{upcast.Name}.v{upcast.FromVersion + 1}", out EventDescriptor? next))
                throw new ArgumentException($"The upcast of '{upcast.WireName}' leads to a version that is not registered.", nameof(upcasts));
            if (!byName.TryAdd(upcast.WireName, next with { WireName = upcast.WireName, Upcasts = [upcast, .. next.Upcasts] }))
                throw new ArgumentException($"'{upcast.WireName}' is registered twice.", nameof(upcasts));
        }
        Readable = [.. byName.Values.OrderBy(descriptor => descriptor.WireName, StringComparer.Ordinal)];
        _byName = byName.ToFrozenDictionary(StringComparer.Ordinal);
    }

    /// <summary>All events of EventMesh.Abstractions.</summary>
    public static EventRegistry Default { get; } = new(
        typeof(IMeshEvent).Assembly.GetTypes().Where(type => type is { IsAbstract: false, IsInterface: false } && type.IsAssignableTo(typeof(IMeshEvent))),
        // A line for each version that is not the newest any more, and its golden file stays.
        upcasts: []);

    /// <summary>The events in order of their names on disk, each in the version that is written.</summary>
    public IReadOnlyList<EventDescriptor> All { get; }

    /// <summary>Those and the older versions that can still be read.</summary>
    public IReadOnlyList<EventDescriptor> Readable { get; }

    /// <summary>What is registered for a CLR type.</summary>
    /// <exception cref="ArgumentException">The type is not registered.</exception>
    public EventDescriptor Get(Type type) =>
        _byType.TryGetValue(type, out EventDescriptor? descriptor)
            ? descriptor
            : throw new ArgumentException($"{type} is not an event that the log may hold.", nameof(type));

    /// <summary>What is registered for a name on disk.</summary>
    /// <exception cref="MeshException"><see cref="MeshError.StoreIncompatible"/>: this program does not know the event.</exception>
    public EventDescriptor Get(string wireName) =>
        _byName.TryGetValue(wireName, out EventDescriptor? descriptor)
            ? descriptor
            : throw new MeshException(
                MeshError.StoreIncompatible, $"The log holds an event '{wireName}', which this program does not know: a newer one wrote it.");

    /// <summary>What is registered for a name on disk; false when nothing is.</summary>
    public bool TryGet(string wireName, [NotNullWhen(true)] out EventDescriptor? descriptor) => _byName.TryGetValue(wireName, out descriptor);

    /// <summary>The key of the stream that a recorded event belongs to: <c>node</c>, <c>peers/2026-11</c>.</summary>
    public string StreamKey(RecordedEvent recorded)
    {
        ArgumentNullException.ThrowIfNull(recorded);
        return StreamKey(Get(recorded.Data.GetType()).Family, recorded.Time);
    }

    /// <summary>The key of the stream that a family's events of a time belong to; the month is that of UTC.</summary>
    public static string StreamKey(StreamFamily family, DateTimeOffset time) => family switch
    {
        StreamFamily.Node => "node",
        StreamFamily.Peers => Monthly("peers", time),
        StreamFamily.Trust => "trust",
        StreamFamily.Cache => Monthly("cache", time),
        StreamFamily.Plugins => "plugins",
        StreamFamily.Topics => "topics",
        _ => throw new ArgumentOutOfRangeException(nameof(family), family, "Not a stream family."),
    };

    private static string Monthly(string name, DateTimeOffset time) =>
        string.Create(CultureInfo.InvariantCulture, $"{name}/{time.UtcDateTime:yyyy-MM}");

    private static EventDescriptor Describe(Type type)
    {
        if (!type.IsAssignableTo(typeof(IMeshEvent)) || !type.IsSealed)
            throw new ArgumentException($"{type} is not a sealed {nameof(IMeshEvent)}.", nameof(type));
        MeshEventAttribute attribute = type.GetCustomAttribute<MeshEventAttribute>()
            ?? throw new ArgumentException($"{type} has no {nameof(MeshEventAttribute)}.", nameof(type));
        return new EventDescriptor(attribute.WireName, type, attribute.Family);
    }
}
