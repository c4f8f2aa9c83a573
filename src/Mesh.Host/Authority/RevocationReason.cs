namespace EventMesh.Host.Authority;

/// <summary>Why a certificate was revoked: the reasons of RFC 5280 5.3.1 that a private authority needs.</summary>
internal enum RevocationReason
{
    /// <summary>No reason is given.</summary>
    Unspecified,

    /// <summary>Somebody else may have the key.</summary>
    KeyCompromise,

    /// <summary>Another certificate took its place.</summary>
    Superseded,

    /// <summary>The node is gone.</summary>
    CessationOfOperation,
}
