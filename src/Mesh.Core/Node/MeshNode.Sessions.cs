using System.Net;
using EventMesh.Dispatch;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Limits.Internal;
using EventMesh.Messaging;
using EventMesh.Sessions.Internal;
using EventMesh.Trust;
using EventMesh.Trust.Internal;
using EventMesh.Wire.Frames;
using Microsoft.Extensions.Logging;

namespace EventMesh.Node;

/// <summary>What sessions need of the node.</summary>
public sealed partial class MeshNode : ISessionHost, IHandlerFailures
{
    /// <summary>For tests that look at what is left of a peer; null before the start.</summary>
    internal SessionTable? Sessions => _table;

    MeshOptions ISessionHost.Options => _options;

    IEventJournal ISessionHost.Journal => _journal;

    IMessageDispatcher ISessionHost.Dispatcher => _dispatcher;

    TimeProvider ISessionHost.Clock => _clock;

    ILogger ISessionHost.Logger => _logger;

    Trust.Internal.CertificateGate ISessionHost.Gate => _gate!;

    IReadOnlyList<Trust.KeySuccession> ISessionHost.Succession => _identity!.Succession;

    TrustLedger ISessionHost.Trust => _trust;

    AbuseGuard ISessionHost.Abuse => _abuse;

    void IHandlerFailures.Report(PeerId peer)
    {
        // Gone already: its score waits for the next offence.
        if (_table is not null && _table.TryGet(peer, out PeerSession? session) && session.Info is { } info)
            _abuse.Report(peer, info.Remote.Address, Offence.HandlerFailure);
    }

    IReadOnlyList<IPEndPoint> ISessionHost.ListenEndPoints => _options.Kind == PeerKind.Node ? [LocalEndPoint] : [];

    ulong ISessionHost.NextSequence() => (ulong)Interlocked.Increment(ref _sequence);

    void ISessionHost.OnProven(PeerSession session, PeerConnection first, IPEndPoint proven) => _cache!.OnProven(session, first, proven);

    void ISessionHost.OnDowngraded(PeerId peer) => _cache!.OnDowngraded(peer);

    void ISessionHost.OnDialFailed(DialFailed failure) => _cache!.OnDialFailed(failure);

    Task ISessionHost.ReverseCheckAsync(PeerSession session, PeerConnection first, Guid linkId, CancellationToken cancellationToken) =>
        _dialer!.CheckReverseAsync(session, first, linkId, cancellationToken);

    void ISessionHost.OnJoined(PeerSession session)
    {
        _table!.Tasks.TryRun(static session => session.AskForPeersAsync(), session);
        _observed!.Look();
    }

    void ISessionHost.OnLeft(PeerInfo peer, CloseReason reason)
    {
        _departures!.Add(peer.Peer, reason);
        _lost!.OnLeft(peer, reason);
        // A deliberate disconnect is not answered with a dial at once, only by the next regular look around.
        if (reason is not (CloseReason.Local or CloseReason.Remote or CloseReason.Shutdown)) _bootstrapper!.Wake();
    }

    Peers ISessionHost.AnswerPeers(PeerId asking, IPAddress askingFrom, int max) => _exchange!.Answer(asking, askingFrom, max);

    void ISessionHost.OnPeersTold(PeerSession session, Peers peers) => _exchange!.OnTold(session, peers);

    void ISessionHost.OnObserved() => _observed!.Look();

    Task ISessionHost.AnswerDialBackAsync(PeerSession session, PeerConnection connection, DialBackRequest request) =>
        _observed!.AnswerAsync(session, connection, request);

    void ISessionHost.OnDialBackTold(PeerId peer, DialBackResult result) => _observed!.OnTold(peer, result);

    bool ISessionHost.TryMakeRoom() => _trimmer!.TryMakeRoom();

    bool ISessionHost.IsProtected(PeerId peer) => _trust.IsTrusted(peer) || _journal.State.IsPinned(peer);
}
