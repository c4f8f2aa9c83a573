namespace EventMesh.Host.Authority;

/// <summary>What a certificate is to be issued for.</summary>
/// <param name="Name">The node's name, also of the files: letters, digits, dots, hyphens and underscores, at most 64.</param>
/// <param name="DnsNames">Its DNS names.</param>
/// <param name="Days">How long it is valid.</param>
/// <param name="IsClient">Whether it may only dial.</param>
/// <param name="SigningRequest">The node's request, PEM (PKCS#10); null to make a key for it.</param>
internal sealed record IssueRequest(string Name, IReadOnlyList<string> DnsNames, int Days, bool IsClient, string? SigningRequest);
