namespace EventMesh.Projections;

/// <summary>What became of a peer, an address, a contact or a certificate.</summary>
public enum MeshChangeKind
{
    /// <summary>A peer joined.</summary>
    Joined,

    /// <summary>A peer left.</summary>
    Left,

    /// <summary>A node entered the bootstrap cache.</summary>
    EnteredCache,

    /// <summary>A node left the bootstrap cache.</summary>
    LeftCache,

    /// <summary>A peer was trusted.</summary>
    Trusted,

    /// <summary>A peer is no longer trusted: it was blocked or its key revoked.</summary>
    NotTrusted,

    /// <summary>A peer or a range of addresses was blocked.</summary>
    Blocked,

    /// <summary>A block was lifted, or it came to its end.</summary>
    Unblocked,

    /// <summary>A contact was bound to a peer.</summary>
    Pinned,

    /// <summary>A contact is no longer bound to a peer.</summary>
    Unpinned,

    /// <summary>A key or a certificate was revoked.</summary>
    Revoked,
}
