using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace EventMesh.Host.Authority;

/// <summary>A private authority in a folder: a root, by choice an authority below it, the nodes' certificates, and the list of the revoked ones.</summary>
internal sealed class PrivateAuthority : IDisposable
{
    /// <summary>How long before its end a certificate is warned of: 30 days.</summary>
    public static readonly TimeSpan WarnBefore = TimeSpan.FromDays(30);

    private static readonly TimeSpan ListValidity = TimeSpan.FromDays(90);

    private readonly AuthorityFolder _folder;
    private readonly TimeProvider _clock;
    private AuthorityIndex _index;

    private PrivateAuthority(AuthorityFolder folder, AuthorityIndex index, TimeProvider clock)
    {
        _folder = folder;
        _index = index;
        _clock = clock;
    }

    public AuthorityIndex Index => _index;

    public string RootFile => _folder.RootCertificate;

    public string RevocationListFile => _folder.RevocationList;

    private bool HasIntermediate => File.Exists(_folder.IntermediateCertificate);

    /// <summary>Makes an authority.</summary>
    /// <exception cref="MeshException">There is one already, or the folder can't be used.</exception>
    public static PrivateAuthority Create(string path, string name, int years, bool withIntermediate, TimeProvider clock)
    {
        AuthorityFolder folder = AuthorityFolder.Open(path, create: true);
        try
        {
            if (File.Exists(folder.Index) || File.Exists(folder.RootKey))
                throw new MeshException(MeshError.InvalidConfiguration, $"There is an authority in '{folder.Path}' already; its key would be lost.");
            DateTimeOffset now = clock.GetUtcNow();
            using var rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP384);
            AuthorityFolder.WriteKey(folder.RootKey, rootKey);
            using var root = new Issuer(CertificateMaker.MakeRoot($"{name} root", rootKey, now, now.AddYears(years)), rootKey);
            AuthorityFolder.WritePublic(folder.RootCertificate, root.Certificate.ExportCertificatePem() + "\n");
            if (withIntermediate)
            {
                using var key = ECDsa.Create(ECCurve.NamedCurves.nistP384);
                AuthorityFolder.WriteKey(folder.IntermediateKey, key);
                using X509Certificate2 certificate = CertificateMaker.MakeIntermediate($"{name} nodes", key, root, now, now.AddYears(years));
                AuthorityFolder.WritePublic(folder.IntermediateCertificate, certificate.ExportCertificatePem() + "\n");
            }
            var authority = new PrivateAuthority(folder, new AuthorityIndex(name, now, [], 0), clock);
            authority.WriteRevocationList(authority.Index);
            return authority;
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }

    /// <summary>Opens an authority.</summary>
    /// <exception cref="MeshException">There is none, or its files can't be read.</exception>
    public static PrivateAuthority Open(string path, TimeProvider clock)
    {
        AuthorityFolder folder = AuthorityFolder.Open(path, create: false);
        try
        {
            return new PrivateAuthority(folder, folder.ReadIndex(), clock);
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }

    /// <summary>Issues a certificate and writes it, and the key that it made, to a folder.</summary>
    /// <exception cref="MeshException"><see cref="MeshError.InvalidConfiguration"/>: the request can't be granted.</exception>
    public IssueResult Issue(IssueRequest request, string output)
    {
        if (request.Name.Length is 0 or > 64 || !request.Name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_') || request.Name[0] is '.' or '-')
            throw new MeshException(MeshError.InvalidConfiguration, $"A node's name is of letters, digits, dots, hyphens and underscores, 64 at most, and begins with a letter or digit; '{request.Name}' is not.");
        DateTimeOffset now = _clock.GetUtcNow();
        using Issuer issuer = OpenIssuer();
        DateTimeOffset end = new(issuer.Certificate.NotAfter);
        if (end < now) throw new MeshException(MeshError.InvalidConfiguration, $"The authority's certificate '{issuer.Certificate.Subject}' has expired at {end.UtcDateTime:u}: make a new authority.");
        List<string> warnings = [.. Warnings()];
        DateTimeOffset notAfter = now.AddDays(request.Days);
        if (notAfter > end)
        {
            notAfter = end;
            warnings.Add($"The certificate ends with the authority's own at {end.UtcDateTime:u}.");
        }
        string keyFile = Path.Combine(output, request.Name + ".key"), certificateFile = Path.Combine(output, request.Name + ".crt");
        foreach (string file in new[] { keyFile, certificateFile }.Where(File.Exists))
            throw new MeshException(MeshError.InvalidConfiguration, $"'{file}' exists already. Give another folder with --out, or move it away.");
        Directory.CreateDirectory(output);
        Directory.CreateDirectory(_folder.Issued);
        using ECDsa? made = request.SigningRequest is null ? ECDsa.Create(ECCurve.NamedCurves.nistP256) : null;
        PublicKey key = made is null ? ReadRequest(request.SigningRequest!) : new PublicKey(made);
        using X509Certificate2 certificate = CertificateMaker.MakeNode(request.Name, key, request.DnsNames, request.IsClient, issuer, now, notAfter);
        var issued = new IssuedCertificate(
            certificate.SerialNumber, request.Name, PeerId.FromCertificate(certificate), request.DnsNames, new DateTimeOffset(certificate.NotBefore).ToUniversalTime(),
            new DateTimeOffset(certificate.NotAfter).ToUniversalTime());
        string chain = certificate.ExportCertificatePem() + "\n" + (HasIntermediate ? issuer.Certificate.ExportCertificatePem() + "\n" : "");
        // Remembered first: a certificate that nobody can revoke is worse than an entry without one.
        _index = _index with { Issued = [.. _index.Issued, issued] };
        _folder.WriteIndex(_index);
        AuthorityFolder.WritePublic(Path.Combine(_folder.Issued, issued.Serial + ".crt"), chain);
        if (made is not null) AuthorityFolder.WriteKey(keyFile, made);
        AuthorityFolder.WritePublic(certificateFile, chain);
        return new IssueResult(issued, certificateFile, made is null ? null : keyFile, warnings);
    }

    /// <summary>Revokes certificates and writes the list anew; without any it only renews the list.</summary>
    /// <param name="which">Serial numbers, peer identities, or names of nodes, of which all certificates are meant.</param>
    /// <param name="reason">Why.</param>
    /// <exception cref="MeshException"><see cref="MeshError.InvalidConfiguration"/>: nothing valid is known by such a name; then nothing is revoked.</exception>
    public IReadOnlyList<IssuedCertificate> Revoke(IReadOnlyList<string> which, RevocationReason reason)
    {
        DateTimeOffset now = _clock.GetUtcNow();
        HashSet<string> serials = [];
        foreach (string one in which)
        {
            string[] found = [.. _index.Issued.Where(c => c.RevokedAt is null && IsMeant(c, one)).Select(c => c.Serial)];
            if (found.Length == 0)
                throw new MeshException(MeshError.InvalidConfiguration, $"No certificate that is not revoked yet has the name, serial number or identity '{one}'. `mesh ca list` shows them.");
            serials.UnionWith(found);
        }
        // To the second, as the list has it.
        DateTimeOffset at = DateTimeOffset.FromUnixTimeSeconds(now.ToUnixTimeSeconds());
        WriteRevocationList(_index with
        {
            Issued = [.. _index.Issued.Select(c => serials.Contains(c.Serial) ? c with { RevokedAt = at, Reason = reason } : c)],
        });
        return [.. _index.Issued.Where(c => serials.Contains(c.Serial))];
    }

    /// <summary>What expires within 30 days or has expired, of the authority itself.</summary>
    public IEnumerable<string> Warnings()
    {
        DateTimeOffset now = _clock.GetUtcNow();
        foreach (string file in new[] { _folder.RootCertificate, _folder.IntermediateCertificate }.Where(File.Exists))
        {
            using X509Certificate2 certificate = ReadCertificate(file);
            DateTimeOffset end = new(certificate.NotAfter);
            if (end - now < WarnBefore) yield return $"The authority's certificate '{certificate.Subject}' {(end < now ? "has expired" : "expires")} at {end.UtcDateTime:u}.";
        }
        DateTimeOffset due = new DateTimeOffset(File.GetLastWriteTimeUtc(_folder.RevocationList), TimeSpan.Zero) + ListValidity;
        if (due - now < WarnBefore) yield return $"The revocation list should be renewed before {due.UtcDateTime:u}: `mesh ca revoke` without a name does it.";
    }

    public void Dispose() => _folder.Dispose();

    private static bool IsMeant(IssuedCertificate certificate, string text) =>
        string.Equals(certificate.Name, text, StringComparison.Ordinal) || string.Equals(certificate.Serial, text, StringComparison.OrdinalIgnoreCase)
        || string.Equals(certificate.Peer.ToString(), text, StringComparison.OrdinalIgnoreCase);

    private Issuer OpenIssuer() => HasIntermediate
        ? new Issuer(ReadCertificate(_folder.IntermediateCertificate), AuthorityFolder.ReadKey(_folder.IntermediateKey))
        : new Issuer(ReadCertificate(_folder.RootCertificate), AuthorityFolder.ReadKey(_folder.RootKey));

    private void WriteRevocationList(AuthorityIndex index)
    {
        DateTimeOffset now = _clock.GetUtcNow();
        using Issuer issuer = OpenIssuer();
        AuthorityIndex next = index with { RevocationLists = index.RevocationLists + 1 };
        string list = CertificateMaker.MakeRevocationList(issuer, next.Issued.Where(c => c.RevokedAt is not null), next.RevocationLists, now, now + ListValidity);
        _folder.WriteIndex(next);
        _index = next;
        AuthorityFolder.WritePublic(_folder.RevocationList, list);
    }

    private static X509Certificate2 ReadCertificate(string file)
    {
        try
        {
            return X509CertificateLoader.LoadCertificateFromFile(file);
        }
        catch (Exception e) when (e is IOException or CryptographicException)
        {
            throw new MeshException(MeshError.DataDirectoryUnusable, $"The certificate '{file}' can't be read: {e.Message}", e);
        }
    }

    private static PublicKey ReadRequest(string pem)
    {
        try
        {
            // Its signature proves that the node has the key; what else it asks for is the operator's to say.
            CertificateRequest request = CertificateRequest.LoadSigningRequestPem(pem, HashAlgorithmName.SHA256, CertificateRequestLoadOptions.Default, RSASignaturePadding.Pkcs1);
            return IsTaken(request.PublicKey)
                ? request.PublicKey
                : throw new MeshException(MeshError.InvalidConfiguration, "The request's key is not taken: RSA of 2,048 to 8,192 bits, P-256 and P-384 are.");
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new MeshException(MeshError.InvalidConfiguration, $"The signing request can't be used: {e.Message}", e);
        }
    }

    private static bool IsTaken(PublicKey key)
    {
        using RSA? rsa = key.GetRSAPublicKey();
        if (rsa is not null) return rsa.KeySize is >= 2048 and <= 8192;
        using ECDsa? ecdsa = key.GetECDsaPublicKey();
        return ecdsa?.ExportParameters(includePrivateParameters: false).Curve is { IsNamed: true, Oid.Value: "1.2.840.10045.3.1.7" or "1.3.132.0.34" };
    }
}
