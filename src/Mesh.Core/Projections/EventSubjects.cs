using System.Collections.Concurrent;
using System.Reflection;
using EventMesh.Events;
using EventMesh.Identity;

namespace EventMesh.Projections;

/// <summary>
/// Which peers an event concerns: all that it names, in whatever part. What an event names is read off its type, so that a new event can't be forgotten.
/// What opens a month repeats what events of their own have said: it concerns nobody.
/// </summary>
public static class EventSubjects
{
    private static readonly ConcurrentDictionary<Type, Func<IMeshEvent, PeerId?>[]> Readers = [];

    /// <summary>The peers that an event names, each once, in the order of its fields; empty for none. Pure.</summary>
    public static IReadOnlyList<PeerId> Of(IMeshEvent data)
    {
        ArgumentNullException.ThrowIfNull(data);
        Func<IMeshEvent, PeerId?>[] readers = Readers.GetOrAdd(data.GetType(), Describe);
        switch (readers.Length)
        {
            case 0:
                return [];
            case 1:
                return readers[0](data) is { } only ? [only] : [];
            default:
                return [.. readers.Select(read => read(data)).OfType<PeerId>().Distinct()];
        }
    }

    private static Func<IMeshEvent, PeerId?>[] Describe(Type type) =>
    [
        .. type.GetProperties(BindingFlags.Instance | BindingFlags.Public)
            .Where(property => property.PropertyType == typeof(PeerId) || property.PropertyType == typeof(PeerId?))
            .OrderBy(property => property.MetadataToken)
            .Select(property => (Func<IMeshEvent, PeerId?>)(data => (PeerId?)property.GetValue(data))),
    ];
}
