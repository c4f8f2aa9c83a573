namespace EventMesh.Host.Authority;

/// <summary>A certificate that the authority has issued.</summary>
/// <param name="Serial">Its serial number, hexadecimal.</param>
/// <param name="Name">The node's name.</param>
/// <param name="Peer">The identity of its key.</param>
/// <param name="DnsNames">The DNS names it bears.</param>
/// <param name="NotBefore">The start of its validity.</param>
/// <param name="NotAfter">The end of its validity.</param>
internal sealed record IssuedCertificate(
    string Serial, string Name, PeerId Peer, IReadOnlyList<string> DnsNames, DateTimeOffset NotBefore, DateTimeOffset NotAfter)
{
    /// <summary>When it was revoked; null when it was not.</summary>
    public DateTimeOffset? RevokedAt { get; init; }

    /// <summary>Why it was revoked.</summary>
    public RevocationReason? Reason { get; init; }

    /// <summary>What it is worth at a time.</summary>
    public CertificateState StateAt(DateTimeOffset now) =>
        RevokedAt is not null ? CertificateState.Revoked
        : now > NotAfter ? CertificateState.Expired
        : NotAfter - now < PrivateAuthority.WarnBefore ? CertificateState.ExpiresSoon
        : CertificateState.Valid;
}
