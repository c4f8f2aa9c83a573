using EventMesh.Events;

namespace EventMesh.Node;

/// <summary>Whom the node trusts: section <c>EventMesh:Trust</c>. docs/trust.md tells the modes apart.</summary>
public sealed class TrustOptions
{
    /// <value>How a peer's certificate is judged. Defaults to <see cref="TrustMode.Encrypted"/>: any certificate does.</value>
    public TrustMode Mode { get; set; } = TrustMode.Encrypted;

    /// <value>
    /// PEM files of root certificates. In <see cref="TrustMode.PrivateAuthority"/> at least one; in <see cref="TrustMode.PublicAuthority"/> they take
    /// the place of the system's roots. Defaults to none.
    /// </value>
    public IList<string> Roots { get; set; } = [];

    /// <value>
    /// The DNS names that peers may have: <c>node1.example.org</c> one name, <c>.example.org</c> all names below it. In
    /// <see cref="TrustMode.PublicAuthority"/> at least one, since any web site has a valid certificate. Defaults to none: in
    /// <see cref="TrustMode.PrivateAuthority"/> names are not asked for.
    /// </value>
    public IList<string> AllowedNames { get; set; } = [];

    /// <value>PEM or DER files of revocation lists (RFC 5280 5), read again within 10 s of a change. Defaults to none.</value>
    public IList<string> RevocationLists { get; set; } = [];

    /// <value>This node's own DNS name, which its certificate must bear. Needed in <see cref="TrustMode.PublicAuthority"/>. Defaults to none.</value>
    public string? DnsName { get; set; }

    /// <value>
    /// Whether a contact is bound to the first peer that is joined there, so that another one is refused later. Null, the default, is on where nobody else vouches for a
    /// peer's key (<see cref="TrustMode.Encrypted"/>), and off where an authority does: there a key may change with the certificate.
    /// </value>
    public bool? PinContacts { get; set; }
}
