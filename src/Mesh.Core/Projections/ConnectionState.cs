using System.Collections.Immutable;
using System.Net;
using EventMesh.Events;
using EventMesh.Identity;

namespace EventMesh.Projections;

/// <summary>A connection that is open.</summary>
/// <param name="Connection">Its identity in the log.</param>
/// <param name="Peer">The peer.</param>
/// <param name="Remote">The peer's end.</param>
/// <param name="Direction">Who dialled.</param>
/// <param name="OpenedAt">Since when.</param>
public sealed record OpenConnection(Guid Connection, PeerId Peer, IPEndPoint Remote, ConnectionDirection Direction, DateTimeOffset OpenedAt);

/// <summary>The connections that are open now.</summary>
/// <param name="Open">The connections by their identity.</param>
public sealed record ConnectionState(ImmutableDictionary<Guid, OpenConnection> Open)
{
    /// <summary>None.</summary>
    public static ConnectionState Empty { get; } = new(ImmutableDictionary<Guid, OpenConnection>.Empty);

    /// <summary>The connections after one more event. Pure.</summary>
    public static ConnectionState Apply(ConnectionState state, RecordedEvent recorded)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(recorded);
        return recorded.Data switch
        {
            ConnectionOpened e => new(state.Open.SetItem(e.Connection, new(e.Connection, e.Peer, e.Remote, e.Direction, recorded.Time))),
            ConnectionClosed e => new(state.Open.Remove(e.Connection)),
            PeersSegmentOpened e => new(e.Connections.ToImmutableDictionary(
                open => open.Connection, open => new OpenConnection(open.Connection, open.Peer, open.Remote, open.Direction, open.OpenedAt))),
            _ => state,
        };
    }
}
