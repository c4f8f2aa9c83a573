namespace EventMesh.Trust.Internal;

/// <summary>Why a certificate is not accepted, for counters and tests; people read the reason that goes with it.</summary>
internal enum CertificateProblem
{
    /// <summary>It can't be read, or more was sent than a chain may have.</summary>
    Unreadable,

    /// <summary>It vouches for itself.</summary>
    SelfSigned,

    /// <summary>Its chain ends at a root that is not trusted.</summary>
    UntrustedRoot,

    /// <summary>The certificate of an authority above it is neither sent nor configured.</summary>
    IncompleteChain,

    /// <summary>A signature in the chain is false.</summary>
    BadSignature,

    /// <summary>It, or an authority above it, has expired.</summary>
    Expired,

    /// <summary>It, or an authority above it, is not valid yet.</summary>
    NotYetValid,

    /// <summary>Its key may not sign, or is for another purpose than TLS in this role.</summary>
    WrongUsage,

    /// <summary>It is an authority's own, an authority's is not one, or a constraint of an authority is broken.</summary>
    BrokenConstraint,

    /// <summary>A key or a signature of the chain is too weak.</summary>
    WeakKey,

    /// <summary>It, or an authority above it, was revoked.</summary>
    Revoked,

    /// <summary>The peer named no DNS name, and one is asked for.</summary>
    NameMissing,

    /// <summary>The peer's name is not in its certificate.</summary>
    NameNotInCertificate,

    /// <summary>The peer's name is not on the allow-list.</summary>
    NameNotAllowed,

    /// <summary>What it tells of changes of its key is false, or the key was replaced.</summary>
    FalseSuccession,

    /// <summary>Another key claims to follow the same one.</summary>
    DisputedSuccession,
}
