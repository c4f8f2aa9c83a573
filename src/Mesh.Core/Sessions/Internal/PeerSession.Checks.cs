using System.Net;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Messaging;
using EventMesh.Wire;
using EventMesh.Wire.Frames;
using Google.Protobuf;
using Notifications = EventMesh.Notifications;

namespace EventMesh.Sessions.Internal;

/// <summary>Checks of reachability, and what follows when a joined peer becomes a client or a node.</summary>
internal sealed partial class PeerSession
{
    // What is under way on a replaced connection arrives within this time, or was lost anyway.
    private static readonly TimeSpan RetireAfter = TimeSpan.FromSeconds(2);

    // A lost packet or two and a slow way must not pass for an outage.
    private static readonly TimeSpan AnswersWithin = TimeSpan.FromSeconds(10);

    private long _lastNoticeOfAddress;
    private int _failedAsks;

    // How our last check of the peer failed; null before one did.
    private MeshError? _checkFailure;
    private int _isAskingLater;
    private int _proofs;

    /// <summary>Asks the peer to check whether it can dial us, if it uses us as a client.</summary>
    public async Task AskForCheckAsync() => await TryPostAsync(new SessionInput.CheckDue(Guid.NewGuid(), EvenIfPaired: false)).ConfigureAwait(false);

    /// <summary>Takes note when a peer that dialled us is seen at another address.</summary>
    public async Task LookAtAddressAsync()
    {
        if (Info is not { } info || First() is not { IsDialer: false } first) return;
        IPEndPoint now = first.RemoteEndPoint;
        IPEndPoint before = first.LastSeenAt ?? now;
        if (now.Equals(before)) return;
        first.LastSeenAt = now;
        // Another thread may have changed or ended the join meanwhile: then it has seen the new address itself.
        if (info.Remote.Equals(before)) Interlocked.CompareExchange(ref _info, info with { Remote = now }, info);
        if (!now.Address.Equals(before.Address)) await TryPostAsync(new SessionInput.AddressChanged(first.Id)).ConfigureAwait(false);
    }

    private static int[] PortsOf(IEnumerable<Endpoint> endpoints) =>
        [.. endpoints.Select(e => (int)e.Port).Where(port => port is > 0 and <= IPEndPoint.MaxPort).Distinct().Take(2)];

    private async Task OnKindChangedAsync(PeerConnection connection, KindChanged changed)
    {
        if (changed.Kind is not (Kind.Node or Kind.Client) || changed.LinkId.Length != 16 || changed.Listen.Count > WireLimits.ListenEndpoints)
            throw Violation("A KindChanged without kind or link id, or with too many endpoints.");
        if (connection.IsDialer) throw Violation("A KindChanged of a peer that we have dialled.");
        bool isNode = changed.Kind == Kind.Node;
        if (isNode) connection.AnnouncedPorts = PortsOf(changed.Listen);
        await PostAsync(new SessionInput.KindChanged(
            connection.Id, isNode ? PeerKind.Node : PeerKind.Client, new Guid(changed.LinkId.Span, bigEndian: true),
            MayCheck: isNode && _checks.TryTake(connection.RemoteEndPoint.Address))).ConfigureAwait(false);
    }

    private async Task OnNoticeAsync(WireCode code)
    {
        if (Info is null) return;
        switch (code)
        {
            // Once a session: each is a line in the operator's log.
            case WireCode.DuplicateIdentity when Interlocked.Exchange(ref _wasToldOfDuplicate, 1) == 0:
                Log.DuplicateIdentity(Host.Logger, Peer.ToShortString());
                break;
            // Once a minute: each may bring a connection, and its events.
            case WireCode.AddressChanged when Host.Clock.GetTimestamp() is var now
                && (_lastNoticeOfAddress == 0 || Host.Clock.GetElapsedTime(_lastNoticeOfAddress, now) >= TimeSpan.FromMinutes(1)):
                _lastNoticeOfAddress = now;
                await TryPostAsync(new SessionInput.CheckDue(Guid.NewGuid(), EvenIfPaired: true)).ConfigureAwait(false);
                break;
            default:
                break;
        }
    }

    private KindChanged MakeKindChanged(PeerKind kind, Guid linkId)
    {
        var changed = new KindChanged
        {
            Kind = kind == PeerKind.Node ? Kind.Node : Kind.Client,
            LinkId = ByteString.CopyFrom(linkId.ToByteArray(bigEndian: true)),
        };
        if (kind == PeerKind.Node) changed.Listen.AddRange(Host.ListenEndPoints.Take(WireLimits.ListenEndpoints).Select(EndpointCodec.ToFrame));
        return changed;
    }

    private void NoteReachability(bool isReachable)
    {
        IReadOnlyList<RecordedEvent> changes = Host.Journal.Decide(state => (state.Node.Reachability, isReachable) switch
        {
            (not Reachability.Reachable, true) => [new ReachabilityChanged(Reachability.Reachable)],
            // One peer's failure proves little once another has reached us.
            (Reachability.Unknown, false) => [new ReachabilityChanged(Reachability.Unreachable)],
            _ => [],
        });
        if (!isReachable)
        {
            Log.Unreachable(Host.Logger, Peer.ToShortString());
            return;
        }
        _failedAsks = 0;
        if (changes.Count == 0) return;
        // Those who could not reach us before may be able to now.
        foreach (PeerSession session in _table.Sessions().Where(session => session != this))
            _table.Tasks.TryRun(static session => session.AskForCheckAsync(), session);
    }

    private async Task CheckReverseAsync(PeerConnection first, Guid linkId)
    {
        try
        {
            await Host.ReverseCheckAsync(this, first, linkId, first.Ended).ConfigureAwait(false);
        }
        catch (MeshException e)
        {
            await TryPostAsync(new SessionInput.ReverseDialFailed(e.Error, linkId)).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The first connection has ended, or the node stops.
        }
    }

    private async Task WatchReverseAsync(PeerConnection first, Guid linkId)
    {
        try
        {
            // The checker has its whole time from a moment that we don't see: allow for the way there and back.
            await Task.Delay(Host.Options.Bootstrap.ReverseCheckTimeout + TimeSpan.FromSeconds(2), Host.Clock, first.Ended).ConfigureAwait(false);
            await TryPostAsync(new SessionInput.ReverseCheckTimedOut(linkId)).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The first connection has ended, or the node stops.
        }
    }

    private void AskLater(PeerConnection first)
    {
        if (Interlocked.Exchange(ref _isAskingLater, 1) != 0) return;
        if (!_table.Tasks.TryRun(static s => s.Session.AskLaterAsync(s.First), (Session: this, First: first))) Volatile.Write(ref _isAskingLater, 0);
    }

    private async Task AskLaterAsync(PeerConnection first)
    {
        // Never before the peer may dial us again; up to 20 % later, so that nodes do not ask in step.
        TimeSpan wait = Host.Options.Bootstrap.ReverseCheckInterval
            * (1 << Math.Min(_failedAsks++, 3)) * (1.01 + (0.19 * Random.Shared.NextDouble()));
        try
        {
            await Task.Delay(wait, Host.Clock, first.Ended).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The first connection has ended, or the node stops.
        }
        finally
        {
            Volatile.Write(ref _isAskingLater, 0);
        }
        if (!first.Ended.IsCancellationRequested) await AskForCheckAsync().ConfigureAwait(false);
    }

    private async Task RetireAsync(PeerConnection connection)
    {
        try
        {
            // The side that dialled it knows when the new pair stands; the other lets it go first.
            await Task.Delay(connection.IsDialer ? RetireAfter : 2 * RetireAfter, Host.Clock, connection.Ended).ConfigureAwait(false);
            await connection.CloseAsync(WireCode.Replaced).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // It has ended before, or the node stops.
        }
    }

    private async Task LeaveCacheAsync(PeerConnection first)
    {
        // When our own network is down, or all of the peer is gone, the reverse connection may only be the first to fall silent: neither must cost places in the cache.
        if (await PingAsync(first, AnswersWithin).ConfigureAwait(false)) Host.OnDowngraded(Peer);
    }

    /// <summary>The peer is a node that we have dialled: it may enter the cache, as soon as the log knows it.</summary>
    private void Prove(PeerConnection first, IPEndPoint proven)
    {
        int proof = Interlocked.Increment(ref _proofs);
        Task known = Host.Journal.WhenKnownAsync(Peer, first.Ended);
        if (known.IsCompletedSuccessfully) Host.OnProven(this, first, proven);
        else _table.Tasks.TryRun(static s => s.Session.ProveLaterAsync(s.First, s.Proven, s.Known, s.Proof), (Session: this, First: first, Proven: proven, Known: known, Proof: proof));
    }

    private async Task ProveLaterAsync(PeerConnection first, IPEndPoint proven, Task known, int proof)
    {
        try
        {
            await known.ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return;
        }
        // Not when it has left, became a client or was dialled again meanwhile.
        if (Volatile.Read(ref _proofs) == proof && Info is { Kind: PeerKind.Node }) Host.OnProven(this, first, proven);
    }

    private void Move(PeerConnection sendOn, PeerKind kind)
    {
        if (Info is not { } before) return;
        PeerConnection first = First() ?? sendOn;
        IReadOnlyList<IPEndPoint> endpoints = kind == PeerKind.Node ? [sendOn.RemoteEndPoint] : [];
        StartSending(sendOn, first.RemoteHello?.MaxMessage ?? (ulong)Host.Options.Limits.MaxMessageBytes);
        foreach (PeerConnection connection in Connections().Where(c => c.WasRecorded)) connection.MarkJoined();
        PeerInfo after = before with { Kind = kind, Endpoints = endpoints, Remote = sendOn.RemoteEndPoint };
        Info = after;
        if (kind == before.Kind && endpoints.SequenceEqual(before.Endpoints)) return;
        RecordedEvent updated = Host.Journal.Record(new PeerUpdated(Peer, kind, endpoints));
        Log.PeerUpdated(Host.Logger, Peer.ToShortString(), kind.ToString(), sendOn.RemoteEndPoint.ToString());
        if (kind == PeerKind.Node && sendOn.IsDialer) Prove(first, sendOn.RemoteEndPoint);
        if (kind == PeerKind.Client) _table.Tasks.TryRun(static s => s.Session.LeaveCacheAsync(s.First), (Session: this, First: first));
        Host.Dispatcher.Publish(new Notifications.PeerUpdated(after, updated, Host.Journal.IsDurable(updated)));
    }
}
