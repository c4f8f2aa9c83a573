using System.Net;
using EventMesh.Dispatch;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Sessions.Internal;
using EventMesh.Wire.Frames;
using Microsoft.Extensions.Logging;

namespace EventMesh.Node;

/// <summary>What sessions need of the node.</summary>
public sealed partial class MeshNode : ISessionHost
{
    /// <summary>For tests that look at what is left of a peer; null before the start.</summary>
    internal SessionTable? Sessions => _table;

    MeshOptions ISessionHost.Options => _options;

    IEventJournal ISessionHost.Journal => _journal;

    IMessageDispatcher ISessionHost.Dispatcher => _dispatcher;

    TimeProvider ISessionHost.Clock => _clock;

    ILogger ISessionHost.Logger => _logger;

    IReadOnlyList<IPEndPoint> ISessionHost.ListenEndPoints => _options.Kind == PeerKind.Node ? [LocalEndPoint] : [];

    ulong ISessionHost.NextSequence() => (ulong)Interlocked.Increment(ref _sequence);

    void ISessionHost.OnProven(PeerSession session, PeerConnection first, IPEndPoint proven) => _cache!.OnProven(session, first, proven);

    void ISessionHost.OnDialFailed(DialFailed failure) => _cache!.OnDialFailed(failure);

    Task ISessionHost.ReverseCheckAsync(PeerSession session, PeerConnection first, CancellationToken cancellationToken) =>
        _dialer!.CheckReverseAsync(session, first, cancellationToken);

    void ISessionHost.OnJoined(PeerSession session) =>
        _table!.Tasks.TryRun(static session => session.AskForPeersAsync(), session);

    void ISessionHost.OnLeft(CloseReason reason)
    {
        // A deliberate disconnect is not answered with a dial at once, only by the next regular look around.
        if (reason is not (CloseReason.Local or CloseReason.Remote or CloseReason.Shutdown)) _bootstrapper!.Wake();
    }

    Peers ISessionHost.AnswerPeers(PeerId asking, IPAddress askingFrom, int max) => _exchange!.Answer(asking, askingFrom, max);

    void ISessionHost.OnPeersTold(PeerSession session, Peers peers) => _exchange!.OnTold(session, peers);
}
