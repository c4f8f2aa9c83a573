using System.Net;
using EventMesh.Events;
using EventMesh.Identity;

namespace EventMesh;

/// <summary>The trust ledger: who may be a peer of this node. All members may be called from any thread at any time.</summary>
/// <remarks>
/// <para>
/// A command that protects (block, revoke) is in force at once, one that opens (pin, unpin, trust, unblock) only when it is durable; the tasks complete when
/// what was decided is durable. They return the recorded events, none when everything was so already. Cancelling ends the wait, not the decision.
/// </para>
/// <para>
/// The tasks fail with <see cref="MeshException"/>: <see cref="MeshError.InvalidConfiguration"/> (a text is empty or too long, an end has passed, the
/// peer is this node), <see cref="MeshError.Blocked"/> (a blocked or revoked peer can't be trusted), <see cref="MeshError.NodeStopped"/> and
/// <see cref="MeshError.EpochLost"/> (it did not become durable).
/// </para>
/// <para>Where nobody vouches for keys (<see cref="TrustMode.Encrypted"/>) a peer makes itself a new key at will: there only blocks of prefixes bind.</para>
/// </remarks>
public interface ITrust
{
    /// <summary>Whether a peer is blocked or its key revoked.</summary>
    bool IsBlocked(PeerId peer);

    /// <summary>Whether an address is in a blocked prefix.</summary>
    bool IsBlocked(IPAddress address);

    /// <summary>Whether a peer is trusted.</summary>
    bool IsTrusted(PeerId peer);

    /// <summary>Binds a contact to a peer: another one that answers there is refused. It replaces an earlier pin of the contact.</summary>
    /// <param name="contact">The contact, <c>host:port</c> with a DNS name or an address.</param>
    /// <param name="peer">The peer.</param>
    /// <param name="by">Who decides, 1 to 64 characters.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    Task<IReadOnlyList<RecordedEvent>> PinAsync(
        string contact, PeerId peer, string by = TrustAuthor.Application, CancellationToken cancellationToken = default);

    /// <summary>
    /// Takes the pin of a contact back: any peer may answer there, and where contacts are pinned on first use, the next one that is joined there is
    /// pinned. Does nothing when there is no pin.
    /// </summary>
    /// <param name="contact">The contact, <c>host:port</c> with a DNS name or an address.</param>
    /// <param name="reason">Why, for people: at most 256 characters.</param>
    /// <param name="by">Who decides, 1 to 64 characters.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    Task<IReadOnlyList<RecordedEvent>> UnpinAsync(
        string contact, string reason, string by = TrustAuthor.Application, CancellationToken cancellationToken = default);

    /// <summary>Trusts a peer: limits never block it, and it is not given up for others. A block takes the trust away.</summary>
    /// <param name="peer">The peer.</param>
    /// <param name="reason">Why, for people: at most 256 characters.</param>
    /// <param name="by">Who decides, 1 to 64 characters.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    Task<IReadOnlyList<RecordedEvent>> TrustAsync(
        PeerId peer, string reason, string by = TrustAuthor.Application, CancellationToken cancellationToken = default);

    /// <summary>Blocks a peer: its connections are closed and new ones, in either direction, refused. It replaces an earlier block.</summary>
    /// <param name="peer">The peer.</param>
    /// <param name="reason">Why, for people: at most 256 characters. The peer never learns it.</param>
    /// <param name="until">When the block ends by itself; null for never.</param>
    /// <param name="by">Who decides, 1 to 64 characters.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    Task<IReadOnlyList<RecordedEvent>> BlockAsync(
        PeerId peer, string reason, DateTimeOffset? until = null, string by = TrustAuthor.Application, CancellationToken cancellationToken = default);

    /// <summary>Blocks a range of addresses: connections with it are closed and new ones, in either direction, refused before the handshake.</summary>
    /// <param name="prefix">The range; bits after the prefix are ignored, and IPv4-mapped IPv6 is IPv4.</param>
    /// <param name="reason">Why, for people: at most 256 characters.</param>
    /// <param name="until">When the block ends by itself; null for never.</param>
    /// <param name="by">Who decides, 1 to 64 characters.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    Task<IReadOnlyList<RecordedEvent>> BlockPrefixAsync(
        IPNetwork prefix, string reason, DateTimeOffset? until = null, string by = TrustAuthor.Application, CancellationToken cancellationToken = default);

    /// <summary>Lifts the block of a peer; does nothing when there is none.</summary>
    /// <param name="peer">The peer.</param>
    /// <param name="reason">Why, for people: at most 256 characters.</param>
    /// <param name="by">Who decides, 1 to 64 characters.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    Task<IReadOnlyList<RecordedEvent>> UnblockAsync(
        PeerId peer, string reason, string by = TrustAuthor.Application, CancellationToken cancellationToken = default);

    /// <summary>Lifts the block of exactly this prefix; does nothing when there is none. Blocks of wider or narrower ones stay.</summary>
    /// <param name="prefix">The range, as it was blocked.</param>
    /// <param name="reason">Why, for people: at most 256 characters.</param>
    /// <param name="by">Who decides, 1 to 64 characters.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    Task<IReadOnlyList<RecordedEvent>> UnblockPrefixAsync(
        IPNetwork prefix, string reason, string by = TrustAuthor.Application, CancellationToken cancellationToken = default);

    /// <summary>Refuses a key for good, with all certificates on it.</summary>
    /// <param name="key">The identity of the key.</param>
    /// <param name="reason">Why, for people: at most 256 characters.</param>
    /// <param name="by">Who decides, 1 to 64 characters.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    Task<IReadOnlyList<RecordedEvent>> RevokeAsync(
        PeerId key, string reason, string by = TrustAuthor.Application, CancellationToken cancellationToken = default);

    /// <summary>Refuses a single certificate for good; another one on the same key is not concerned.</summary>
    /// <param name="fingerprint">The SHA-256 of its DER in hexadecimal; colons and case do not matter.</param>
    /// <param name="reason">Why, for people: at most 256 characters.</param>
    /// <param name="by">Who decides, 1 to 64 characters.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    Task<IReadOnlyList<RecordedEvent>> RevokeCertificateAsync(
        string fingerprint, string reason, string by = TrustAuthor.Application, CancellationToken cancellationToken = default);
}
