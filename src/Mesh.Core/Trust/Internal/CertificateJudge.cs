using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EventMesh.Events;

namespace EventMesh.Trust.Internal;

/// <summary>
/// Judges a peer's certificates by a policy. Pure but for the system's roots: no clock, and nothing is ever fetched, since a peer must not choose what
/// we download.
/// </summary>
internal static class CertificateJudge
{
    /// <summary>The certificates that a peer may send: 8.</summary>
    public const int MaxChain = 8;

    /// <summary>The bytes of all of them: 64 KiB.</summary>
    public const int MaxChainBytes = 64 * 1024;

    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";
    private const string AnyPurpose = "2.5.29.37.0";

    /// <summary>Whether what a peer sent has a size that is worth a look; quick enough for the handshake.</summary>
    public static bool IsWellSized(IReadOnlyList<ReadOnlyMemory<byte>> chain) =>
        chain.Count is > 0 and <= MaxChain && chain.Sum(certificate => (long)certificate.Length) <= MaxChainBytes;

    /// <summary>Judges a chain; null when it is accepted.</summary>
    /// <param name="chain">The certificates as sent, DER, the peer's own first.</param>
    /// <param name="isServer">Whether the peer was dialled, and so has the part of the TLS server.</param>
    /// <param name="policy">What to judge by.</param>
    /// <param name="revoked">The local revocation lists.</param>
    /// <param name="now">The time to judge at.</param>
    public static CertificateRefusal? Judge(
        IReadOnlyList<ReadOnlyMemory<byte>> chain, bool isServer, TrustPolicy policy, IReadOnlyList<RevocationList> revoked, DateTimeOffset now)
    {
        if (!policy.Validates) return null;
        if (!IsWellSized(chain)) return new(CertificateProblem.Unreadable, $"the peer sent no certificate, more than {MaxChain}, or more than {MaxChainBytes} bytes of them");
        List<X509Certificate2> sent = [];
        try
        {
            foreach (ReadOnlyMemory<byte> certificate in chain) sent.Add(X509CertificateLoader.LoadCertificate(certificate.Span));
            return JudgeOwn(sent[0], isServer, policy, now) ?? JudgeChain(sent, isServer, policy, revoked, now);
        }
        catch (CryptographicException e)
        {
            return new(CertificateProblem.Unreadable, $"a certificate can't be read: {e.Message}");
        }
        finally
        {
            foreach (X509Certificate2 certificate in sent) certificate.Dispose();
        }
    }

    /// <summary>Judges the DNS name that comes with a certificate; null when it is accepted, or not asked for.</summary>
    public static CertificateRefusal? JudgeName(ReadOnlyMemory<byte> certificate, string name, TrustPolicy policy)
    {
        if (!policy.Validates) return null;
        if (name.Length == 0)
            return policy.WantsName ? new(CertificateProblem.NameMissing, "the peer names no DNS name; it has to set EventMesh:Trust:DnsName") : null;
        if (!DnsNames.IsValid(name)) return new(CertificateProblem.NameMissing, "what the peer gives for its DNS name is none");
        using X509Certificate2 parsed = X509CertificateLoader.LoadCertificate(certificate.Span);
        if (!parsed.MatchesHostname(name, allowWildcards: true, allowCommonName: false))
            return new(CertificateProblem.NameNotInCertificate, $"the peer calls itself '{name}', which its certificate does not bear");
        if (policy.WantsName && !DnsNames.IsAllowed(name, policy.AllowedNames))
            return new(CertificateProblem.NameNotAllowed, $"'{name}' is not among the names of EventMesh:Trust:AllowedNames");
        return null;
    }

    /// <summary>Whether a certificate may bear a name that is on the allow-list; the cache's entries are asked so before they are dialled.</summary>
    public static bool MayBearAllowedName(ReadOnlyMemory<byte> certificate, TrustPolicy policy)
    {
        if (!policy.WantsName) return true;
        using X509Certificate2 parsed = X509CertificateLoader.LoadCertificate(certificate.Span);
        return parsed.Extensions.OfType<X509SubjectAlternativeNameExtension>().SelectMany(names => names.EnumerateDnsNames())
            // What a wildcard stands for only its Hello says.
            .Any(name => name.StartsWith("*.", StringComparison.Ordinal) || DnsNames.IsAllowed(name, policy.AllowedNames));
    }

    private static CertificateRefusal? JudgeOwn(X509Certificate2 own, bool isServer, TrustPolicy policy, DateTimeOffset now)
    {
        if (own.SubjectName.RawData.AsSpan().SequenceEqual(own.IssuerName.RawData))
            return new(CertificateProblem.SelfSigned, "it is self-signed: no authority vouches for it");
        if (JudgeTime(own, now) is { } time) return time;
        if (own.Extensions.OfType<X509BasicConstraintsExtension>().Any(constraints => constraints.CertificateAuthority))
            return new(CertificateProblem.BrokenConstraint, "it is the certificate of an authority, not of a node");
        if (own.Extensions.OfType<X509KeyUsageExtension>().FirstOrDefault() is { } usage && !usage.KeyUsages.HasFlag(X509KeyUsageFlags.DigitalSignature))
            return new(CertificateProblem.WrongUsage, "its key usage lacks digitalSignature");
        return PurposeOf(own, isServer, policy.Mode) is null
            ? new(CertificateProblem.WrongUsage, $"its extended key usage does not allow it to be a TLS {(isServer ? "server" : "client")} here")
            : null;
    }

    /// <summary>
    /// The purpose by which a certificate may take its part, null for none. Public authorities no longer issue clientAuth, so serverAuth does for both
    /// parts; a certificate with clientAuth alone, which only a private authority gives, can only dial.
    /// </summary>
    private static string? PurposeOf(X509Certificate2 certificate, bool isServer, TrustMode mode)
    {
        X509EnhancedKeyUsageExtension? purposes = certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>().FirstOrDefault();
        if (purposes is null) return mode == TrustMode.PrivateAuthority ? ServerAuthentication : null;
        string[] oids = [.. purposes.EnhancedKeyUsages.Cast<Oid>().Select(oid => oid.Value ?? "")];
        if (oids.Contains(ServerAuthentication)) return ServerAuthentication;
        if (mode != TrustMode.PrivateAuthority) return null;
        if (oids.Contains(AnyPurpose)) return ServerAuthentication;
        return !isServer && oids.Contains(ClientAuthentication) ? ClientAuthentication : null;
    }

    private static CertificateRefusal? JudgeChain(
        List<X509Certificate2> sent, bool isServer, TrustPolicy policy, IReadOnlyList<RevocationList> revoked, DateTimeOffset now)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.VerificationTime = now.LocalDateTime;
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid(PurposeOf(sent[0], isServer, policy.Mode)!));
        foreach (X509Certificate2 further in sent.Skip(1)) chain.ChainPolicy.ExtraStore.Add(further);
        if (policy.Roots is { } roots)
        {
            chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            chain.ChainPolicy.CustomTrustStore.AddRange(roots);
        }
        bool isBuilt = chain.Build(sent[0]);
        try
        {
            // What an operator can repair comes first: the order of a chain's own findings says nothing.
            CertificateRefusal? weak = chain.ChainElements.Select((element, i) => JudgeStrength(element.Certificate, isRoot: i == chain.ChainElements.Count - 1))
                .FirstOrDefault(refusal => refusal is not null);
            return JudgeElements(chain, revoked, now) ?? weak ?? (isBuilt ? null : Explain(chain));
        }
        finally
        {
            foreach (X509ChainElement element in chain.ChainElements) element.Certificate.Dispose();
        }
    }

    private static CertificateRefusal? JudgeElements(X509Chain chain, IReadOnlyList<RevocationList> revoked, DateTimeOffset now)
    {
        foreach (X509ChainElement element in chain.ChainElements)
        {
            if (JudgeTime(element.Certificate, now) is { } time) return time;
            foreach (RevocationList list in revoked)
            {
                if (list.Revokes(element.Certificate))
                    return new(CertificateProblem.Revoked, $"'{Short(element.Certificate.Subject)}', serial number {element.Certificate.SerialNumber}, is on the revocation list of '{list.Issuer}'");
            }
        }
        return null;
    }

    private static CertificateRefusal? JudgeTime(X509Certificate2 certificate, DateTimeOffset now)
    {
        DateTimeOffset from = new(certificate.NotBefore), to = new(certificate.NotAfter);
        if (now < from) return new(CertificateProblem.NotYetValid, $"'{Short(certificate.Subject)}' is not valid before {from.UtcDateTime:u}; here it is {now.UtcDateTime:u}");
        if (now > to) return new(CertificateProblem.Expired, $"'{Short(certificate.Subject)}' has expired at {to.UtcDateTime:u}; here it is {now.UtcDateTime:u}");
        return null;
    }

    private static CertificateRefusal? JudgeStrength(X509Certificate2 certificate, bool isRoot)
    {
        if (KeyStrength.Weakness(certificate) is { } weakness) return new(CertificateProblem.WeakKey, $"the key of '{Short(certificate.Subject)}' is {weakness}");
        // Nobody checks a root's signature over itself.
        if (!isRoot && KeyStrength.IsWeakSignature(certificate))
            return new(CertificateProblem.WeakKey, $"'{Short(certificate.Subject)}' is signed with {certificate.SignatureAlgorithm.FriendlyName}");
        return null;
    }

    private static CertificateRefusal Explain(X509Chain chain)
    {
        X509ChainStatusFlags all = chain.ChainStatus.Aggregate(X509ChainStatusFlags.NoError, (flags, status) => flags | status.Status);
        X509Certificate2 last = chain.ChainElements[^1].Certificate;
        string details = string.Join("; ", chain.ChainStatus.Select(status => status.StatusInformation.Trim()).Distinct());
        if (all.HasFlag(X509ChainStatusFlags.NotSignatureValid)) return new(CertificateProblem.BadSignature, $"a signature in its chain is false: {details}");
        if ((all & (X509ChainStatusFlags.NotValidForUsage | X509ChainStatusFlags.InvalidPolicyConstraints)) != X509ChainStatusFlags.NoError)
            return new(CertificateProblem.WrongUsage, $"an authority above it may not sign certificates for this purpose: {details}");
        if ((all & (X509ChainStatusFlags.InvalidBasicConstraints | X509ChainStatusFlags.InvalidNameConstraints | X509ChainStatusFlags.HasExcludedNameConstraint
            | X509ChainStatusFlags.HasNotPermittedNameConstraint | X509ChainStatusFlags.InvalidExtension)) != X509ChainStatusFlags.NoError)
            return new(CertificateProblem.BrokenConstraint, $"a constraint of an authority above it is broken: {details}");
        if (all.HasFlag(X509ChainStatusFlags.UntrustedRoot))
            return new(CertificateProblem.UntrustedRoot, $"its chain ends at '{Short(last.Subject)}', which is not a trusted root");
        if (all.HasFlag(X509ChainStatusFlags.PartialChain))
            return new(CertificateProblem.IncompleteChain, $"the issuer of '{Short(last.Subject)}', '{Short(last.Issuer)}', is neither a trusted root nor sent along");
        return new(CertificateProblem.BrokenConstraint, $"its chain is not valid: {details}");
    }

    /// <summary>A name that a stranger chose, for a line in the log.</summary>
    private static string Short(string name)
    {
        string printable = string.Concat(name.Select(c => char.IsControl(c) ? '?' : c));
        return printable.Length <= 100 ? printable : printable[..100] + "...";
    }
}
