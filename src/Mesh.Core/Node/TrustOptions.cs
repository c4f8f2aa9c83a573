namespace EventMesh.Node;

/// <summary>Whom the node trusts: section <c>EventMesh:Trust</c>.</summary>
public sealed class TrustOptions
{
    /// <value>
    /// Whether a contact is bound to the first peer that is joined there, so that another one is refused later. Null, the default, is on where nobody else vouches for a
    /// peer's key (<see cref="Events.TrustMode.Encrypted"/>), and off where an authority does: there a key may change with the certificate.
    /// </value>
    public bool? PinContacts { get; set; }
}
