using EventMesh.Events;
using EventMesh.Projections;

namespace EventMesh.Core.Tests.Projections;

/// <summary>A log in a test, folded as it grows: an event a second.</summary>
internal sealed class Log
{
    public static readonly DateTimeOffset Start = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);

    private long _place;

    public MeshState State { get; private set; } = MeshState.Empty;

    /// <summary>The time of the last event.</summary>
    public DateTimeOffset Time => Start.AddSeconds(_place);

    public MeshState Add(params IReadOnlyList<IMeshEvent> events)
    {
        foreach (IMeshEvent data in events)
        {
            _place++;
            State = MeshState.Apply(State, new RecordedEvent(new Guid((int)_place, 0, 0, new byte[8]), 1, _place, Time, data, null));
        }
        return State;
    }
}
