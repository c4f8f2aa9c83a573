namespace EventMesh.Identity;

/// <summary>How a peer can be reached.</summary>
public enum PeerKind
{
    /// <summary>It can be dialled: a connection stands in each direction.</summary>
    Node,

    /// <summary>It only dials: both sides use its one connection.</summary>
    Client,
}
