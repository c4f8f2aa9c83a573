using System.Collections.Immutable;
using System.Net;
using EventMesh.Dispatch;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Notifications;
using EventMesh.Projections;
using EventMesh.Wire;
using Microsoft.Extensions.Logging;

namespace EventMesh.Trust.Internal;

/// <summary>
/// The trust ledger at work: what is in force now. That is what the state says, and of decisions that open (pin, unpin, trust, unblock) and are not durable yet also what the
/// state said before them: whoever either refuses is refused.
/// </summary>
internal sealed partial class TrustLedger(
    IEventJournal journal, IMessageDispatcher dispatcher, TimeProvider clock, ILogger logger)
{
    private readonly Lock _mutex = new();
    private ImmutableArray<Opening> _openings = [];
    private PrefixIndex _prefixes = new(TrustState.Empty.BlockedPrefixes);
    private RecordedEvent? _last;

    /// <summary>This node, which can't be blocked; set before the first command.</summary>
    public PeerId LocalPeer { get; set; }

    /// <summary>The contacts that have an address; set once at start.</summary>
    public Func<IPEndPoint, IReadOnlyList<ContactName>> ContactsAt { get; set; } = _ => [];

    /// <summary>Whether the first peer that is joined at a contact is pinned.</summary>
    public bool PinsFirstUse { get; set; }

    /// <summary>Closes the connections that are not admitted any more; set once at start.</summary>
    public Action Enforce { get; set; } = () => { };

    /// <summary>
    /// Whether an address may connect: asked for each first packet, before any handshake. One that the node's limits have blocked may, while there are peers that such a block
    /// spares: who comes is known only after the handshake, and <see cref="Refusal"/> decides then.
    /// </summary>
    public bool Admits(IPAddress address) => BlockOf(EndpointCodec.Normalize(address)) is not { } block || (block.IsAutomatic && SparesSomebody());

    /// <summary>Why a peer is refused; null when it is not. The message is for the operator, the peer only gets a code.</summary>
    /// <param name="peer">The peer, proven by TLS.</param>
    /// <param name="certificate">The certificate that it showed, DER.</param>
    /// <param name="address">Where it is.</param>
    public MeshException? Refusal(PeerId peer, ReadOnlySpan<byte> certificate, IPAddress address)
    {
        DateTimeOffset now = clock.GetUtcNow();
        // The state first: an opening is on the list before the state has its effect.
        MeshState state = journal.State;
        if (RefusalBy(state, peer, certificate, now) is { } refusal) return refusal;
        if (BlockOf(EndpointCodec.Normalize(address)) is { } prefix && !(prefix.IsAutomatic && IsSpared(peer)))
            return Blocked($"The address {address} is blocked: {prefix.Reason}", prefix);
        foreach (Opening opening in InForce())
        {
            if (RefusalBy(opening.Before, peer, certificate, now) is { } earlier) return earlier;
        }
        return null;
    }

    /// <summary>Whether a peer is trusted, in force.</summary>
    public bool IsTrusted(PeerId peer)
    {
        if (!journal.State.IsTrusted(peer)) return false;
        foreach (Opening opening in InForce())
        {
            if (!opening.Before.IsTrusted(peer)) return false;
        }
        return true;
    }

    /// <summary>Refuses a dial before it is made.</summary>
    /// <exception cref="MeshException"><see cref="MeshError.Blocked"/>.</exception>
    public void ThrowIfBlocked(IPEndPoint remote, PeerId? expected)
    {
        if (Refusal(expected ?? PinnedAt(remote) ?? LocalPeer, default, remote.Address) is { } refusal) throw refusal;
    }

    /// <summary>Whether an automatic block of its address does not concern a peer: it is trusted, or pinned by hand, in force.</summary>
    private bool IsSpared(PeerId peer)
    {
        if (!journal.State.IsSpared(peer)) return false;
        foreach (Opening opening in InForce())
        {
            if (!opening.Before.IsSpared(peer)) return false;
        }
        return true;
    }

    private bool SparesSomebody()
    {
        TrustState trust = journal.State.Trust;
        return !trust.Trusted.IsEmpty || trust.Pins.Values.Any(pin => pin.Origin == PinOrigin.ByHand);
    }

    // Nobody else may answer there.
    private PeerId? PinnedAt(IPEndPoint remote)
    {
        TrustState trust = journal.State.Trust;
        if (trust.Pins.IsEmpty) return null;
        foreach (string contact in ContactsAt(remote).Select(name => name.Contact).Append(remote.ToString()))
        {
            if (trust.Pins.TryGetValue(contact, out TrustPin? pin)) return pin.Peer;
        }
        return null;
    }

    /// <summary>Refuses a peer that answers where another one is pinned.</summary>
    /// <returns>Why; null when it may answer there.</returns>
    public MeshException? PinRefusal(IPEndPoint remote, PeerId found)
    {
        foreach (string contact in ContactsAt(remote).Select(name => name.Contact).Append(remote.ToString()).Distinct(StringComparer.Ordinal))
        {
            MeshState state = journal.State;
            if (state.MayAnswer(contact, found) && InForce().All(opening => opening.Before.MayAnswer(contact, found))) continue;
            NoteMismatch(contact, found, remote);
            return new MeshException(
                MeshError.WrongPeer, $"Contact {contact} is pinned to another peer than {found.ToShortString()}, which answered. `mesh trust list` shows the pins.");
        }
        return null;
    }

    /// <summary>A contact was dialled and the peer there has joined.</summary>
    public void OnContactJoined(IPEndPoint remote, PeerId peer)
    {
        if (!PinsFirstUse) return;
        foreach (ContactName name in ContactsAt(remote))
        {
            // Several nodes behind one name answer in turn: pinned to one of them it would refuse the others.
            if (!name.IsOneNode || journal.State.Trust.Pins.ContainsKey(name.Contact)) continue;
            IReadOnlyList<RecordedEvent> recorded = journal.Decide(state => TrustDecisions.PinFirstUse(state, name.Contact, peer));
            if (recorded.Count == 0) continue;
            Log.ContactPinned(logger, name.Contact, peer.ToShortString());
            Publish(recorded);
        }
    }

    /// <summary>Records what limits decided, in force at once.</summary>
    public IReadOnlyList<RecordedEvent> Restrict(Func<MeshState, IEnumerable<IMeshEvent>> decision)
    {
        IReadOnlyList<RecordedEvent> recorded;
        lock (_mutex)
        {
            recorded = journal.Decide(decision);
            if (recorded.Count > 0) _last = recorded[^1];
        }
        if (recorded.Count == 0) return recorded;
        Publish(recorded);
        Enforce();
        return recorded;
    }

    private TrustBlock? BlockOf(IPAddress address)
    {
        DateTimeOffset now = clock.GetUtcNow();
        TrustState trust = journal.State.Trust;
        TrustBlock? block = IndexOf(trust).BlockOf(address, now);
        foreach (Opening opening in InForce())
        {
            // An operator's binds everybody, so no automatic one may hide it.
            if (block is { IsAutomatic: false }) return block;
            if (opening.Before.BlockOf(address, now) is { } earlier && (block is null || !earlier.IsAutomatic)) block = earlier;
        }
        return block;
    }

    private PrefixIndex IndexOf(TrustState trust)
    {
        PrefixIndex index = Volatile.Read(ref _prefixes);
        if (ReferenceEquals(index.Source, trust.BlockedPrefixes)) return index;
        index = new PrefixIndex(trust.BlockedPrefixes);
        Volatile.Write(ref _prefixes, index);
        return index;
    }

    private static MeshException? RefusalBy(MeshState state, PeerId peer, ReadOnlySpan<byte> certificate, DateTimeOffset now)
    {
        if (state.BlockOf(peer, now) is { } block) return Blocked($"Peer {peer.ToShortString()} is blocked: {block.Reason}", block);
        if (state.IsRevoked(peer)) return new MeshException(MeshError.Blocked, $"The key of peer {peer.ToShortString()} is revoked.");
        if (!certificate.IsEmpty && !state.Trust.RevokedCertificates.IsEmpty && state.IsRevoked(CertificateFingerprint.Of(certificate)))
            return new MeshException(MeshError.Blocked, $"The certificate of peer {peer.ToShortString()} is revoked.");
        return null;
    }

    private static MeshException Blocked(string what, TrustBlock block) => new(
        MeshError.Blocked, block.Until is { } end ? $"{what}, until {end.UtcDateTime:yyyy-MM-dd HH:mm:ss'Z'}." : $"{what}.");

    private ImmutableArray<Opening> InForce()
    {
        ImmutableArray<Opening> openings = ImmutableInterlocked.InterlockedCompareExchange(ref _openings, default, default);
        return openings.IsDefaultOrEmpty ? [] : openings;
    }

    private void NoteMismatch(string contact, PeerId found, IPEndPoint remote)
    {
        foreach (RecordedEvent recorded in Restrict(state => TrustDecisions.Mismatch(state, contact, found, remote)))
        {
            var mismatch = (PinMismatch)recorded.Data;
            Log.PinMismatch(
                logger, contact, mismatch.Expected.ToShortString(), found.ToShortString(), remote.ToString(), contact, found.ToString());
        }
    }

    private void Publish(IReadOnlyList<RecordedEvent> recorded)
    {
        foreach (RecordedEvent change in recorded)
        {
            bool isDurable = journal.IsDurable(change);
            dispatcher.Publish(change.Data is CacheEntryEvicted ? new CacheChanged(change, isDurable) : new TrustChanged(change, isDurable));
        }
    }

    /// <summary>A decision that opens, on its way to be durable.</summary>
    /// <param name="Before">What was in force before it.</param>
    private sealed record Opening(MeshState Before);
}
