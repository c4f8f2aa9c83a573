using EventMesh.Events;
using EventMesh.Identity;

namespace EventMesh.Projections;

/// <summary>A contact that is bound to a peer.</summary>
/// <param name="Contact">The contact, <c>host:port</c> in lower case.</param>
/// <param name="Peer">The peer.</param>
/// <param name="Origin">How it came about.</param>
/// <param name="At">Since when.</param>
/// <param name="By">Who decided it.</param>
/// <param name="Mismatch">The other peer that answered there last; null while none has.</param>
/// <param name="MismatchAt">When it was first seen.</param>
public sealed record TrustPin(
    string Contact, PeerId Peer, PinOrigin Origin, DateTimeOffset At, string By, PeerId? Mismatch, DateTimeOffset? MismatchAt);
