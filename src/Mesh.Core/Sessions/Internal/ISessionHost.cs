using System.Net;
using EventMesh.Dispatch;
using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Node;
using Microsoft.Extensions.Logging;

namespace EventMesh.Sessions.Internal;

/// <summary>What sessions need of the node around them.</summary>
internal interface ISessionHost
{
    PeerId LocalPeer { get; }

    Guid Instance { get; }

    MeshOptions Options { get; }

    IEventJournal Journal { get; }

    IMessageDispatcher Dispatcher { get; }

    TimeProvider Clock { get; }

    ILogger Logger { get; }

    /// <summary>Judges the peers' certificates.</summary>
    Trust.Internal.CertificateGate Gate { get; }

    /// <summary>How the node came to its key, the oldest change first, for its Hello.</summary>
    IReadOnlyList<Trust.KeySuccession> Succession { get; }

    /// <summary>Who may be a peer.</summary>
    Trust.Internal.TrustLedger Trust { get; }

    /// <summary>Who breaks the rules.</summary>
    Limits.Internal.AbuseGuard Abuse { get; }

    /// <summary>Where the node listens, for its Hello.</summary>
    IReadOnlyList<IPEndPoint> ListenEndPoints { get; }

    /// <summary>We have dialled a node and it has joined: it may enter the cache.</summary>
    /// <param name="session">The node's session.</param>
    /// <param name="first">The pair's first connection.</param>
    /// <param name="proven">Where we have reached it.</param>
    void OnProven(PeerSession session, PeerConnection first, IPEndPoint proven);

    /// <summary>A joined node can't be dialled any more and goes on as a client: it leaves the cache.</summary>
    void OnDowngraded(PeerId peer);

    /// <summary>A dial came to nothing: it goes into the log, and may cost a node its place in the cache.</summary>
    void OnDialFailed(Events.DialFailed failure);

    /// <summary>The next message's number in this process.</summary>
    ulong NextSequence();

    /// <summary>Dials a peer back from the socket of reverse checks.</summary>
    Task ReverseCheckAsync(PeerSession session, PeerConnection first, Guid linkId, CancellationToken cancellationToken);

    /// <summary>A peer has joined: peer exchange may begin.</summary>
    void OnJoined(PeerSession session);

    /// <summary>A peer has left: it may have been the last.</summary>
    void OnLeft(Messaging.PeerInfo peer, Events.CloseReason reason);

    /// <summary>Answers a peer's request for peers.</summary>
    Wire.Frames.Peers AnswerPeers(PeerId asking, IPAddress askingFrom, int max);

    /// <summary>Takes in what a peer told of others.</summary>
    void OnPeersTold(PeerSession session, Wire.Frames.Peers peers);

    /// <summary>A peer has said where it sees our listening socket: <see cref="PeerSession.ObservedUs"/>.</summary>
    void OnObserved();

    /// <summary>Dials a peer back that asks for it, and tells it how that ended.</summary>
    Task AnswerDialBackAsync(PeerSession session, PeerConnection connection, Wire.Frames.DialBackRequest request);

    /// <summary>A peer says how its dial-back ended.</summary>
    void OnDialBackTold(PeerId peer, Wire.Frames.DialBackResult result);

    /// <summary>Closes a peer that dialled us to make room for another; false when none may go.</summary>
    bool TryMakeRoom();

    /// <summary>Whether an operator has trusted or pinned a peer: such a peer is never trimmed.</summary>
    bool IsProtected(PeerId peer);
}
