namespace EventMesh.Host.Authority;

/// <summary>A certificate and its files.</summary>
/// <param name="Certificate">The certificate.</param>
/// <param name="CertificateFile">Where it is, with the authorities above it.</param>
/// <param name="KeyFile">Where its key is; null when the node made it.</param>
/// <param name="Warnings">What the operator should know.</param>
internal sealed record IssueResult(IssuedCertificate Certificate, string CertificateFile, string? KeyFile, IReadOnlyList<string> Warnings);
