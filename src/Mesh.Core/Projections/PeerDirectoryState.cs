using System.Collections.Immutable;
using System.Net;
using EventMesh.Events;
using EventMesh.Identity;

namespace EventMesh.Projections;

/// <summary>A peer that is joined.</summary>
/// <param name="Peer">The peer.</param>
/// <param name="Instance">The random identity of its process start.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Endpoints">Where it can be dialled.</param>
/// <param name="Agent">Its program and version, as it says.</param>
/// <param name="JoinedAt">Since when.</param>
public sealed record JoinedPeer(
    PeerId Peer, Guid Instance, PeerKind Kind, IReadOnlyList<IPEndPoint> Endpoints, string Agent, DateTimeOffset JoinedAt);

/// <summary>The peers that are joined now. Who was joined at other times is a question for the stored projection.</summary>
/// <param name="Joined">The joined peers.</param>
public sealed record PeerDirectoryState(ImmutableDictionary<PeerId, JoinedPeer> Joined)
{
    /// <summary>Nobody.</summary>
    public static PeerDirectoryState Empty { get; } = new(ImmutableDictionary<PeerId, JoinedPeer>.Empty);

    /// <summary>The directory after one more event. Pure.</summary>
    public static PeerDirectoryState Apply(PeerDirectoryState state, RecordedEvent recorded)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(recorded);
        switch (recorded.Data)
        {
            case PeerJoined e:
                return new(state.Joined.SetItem(e.Peer, new(e.Peer, e.Instance, e.Kind, e.Endpoints, e.Agent, recorded.Time)));
            case PeerUpdated e when state.Joined.TryGetValue(e.Peer, out JoinedPeer? peer):
                return new(state.Joined.SetItem(e.Peer, peer with { Kind = e.Kind, Endpoints = e.Endpoints }));
            case PeerLeft e:
                return new(state.Joined.Remove(e.Peer));
            case PeersSegmentOpened e:
                return new(e.Peers.ToImmutableDictionary(
                    peer => peer.Peer, peer => new JoinedPeer(peer.Peer, peer.Instance, peer.Kind, peer.Endpoints, peer.Agent, peer.JoinedAt)));
            default:
                return state;
        }
    }
}
