namespace EventMesh.Host.Authority;

/// <summary>What a certificate is worth.</summary>
internal enum CertificateState
{
    /// <summary>It is valid for another 30 days at least.</summary>
    Valid,

    /// <summary>It expires within 30 days.</summary>
    ExpiresSoon,

    /// <summary>It has expired.</summary>
    Expired,

    /// <summary>It was revoked.</summary>
    Revoked,
}
