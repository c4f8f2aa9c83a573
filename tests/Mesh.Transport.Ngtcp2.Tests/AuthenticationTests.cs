using System.Collections.Concurrent;
using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EventMesh.Conformance;
using EventMesh.Identity;
using EventMesh.Tests;
using EventMesh.Transport.Ngtcp2.Internal;
using Shouldly;
using Xunit;

namespace EventMesh.Transport.Ngtcp2.Tests;

/// <summary>Only the owner of a key is taken for it, and nobody gets in without one.</summary>
public sealed class AuthenticationTests : ProviderTests
{
    [Fact]
    public async Task Stolen_certificate_without_its_key_is_refused_before_anybody_asks()
    {
        using X509Certificate2 victim = TestCertificates.Create("victim");
        using var otherKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var asked = new ConcurrentBag<PeerId>();
        bool Ask(PeerCertificate peer)
        {
            asked.Add(peer.PeerId);
            return true;
        }

        ITransportEndpoint honest = await ServerAsync(o => o with { VerifyPeer = Ask });
        ITransportEndpoint thief = await BindAsync(new EndpointTuning { Identity = TlsIdentity.Forged(victim, otherKey) }, certificate: victim);

        (await RefusalAsync(thief, honest.LocalEndPoint)).ShouldBe(MeshError.CertificateRefused, "as a client");
        await Fails(MeshError.CertificateRefused, honest.ConnectAsync(thief.LocalEndPoint, CancellationToken.None));

        asked.ShouldNotContain(PeerId.FromCertificate(victim));
        LoopOf(honest).Accepted.Count.ShouldBe(0);
    }

    [Fact]
    public async Task Client_without_a_certificate_is_refused()
    {
        ITransportEndpoint server = await ServerAsync();
        ITransportEndpoint anonymous = await BindAsync(new EndpointTuning { Identity = TlsIdentity.None });

        (await RefusalAsync(anonymous, server.LocalEndPoint)).ShouldBe(MeshError.CertificateRefused);

        LoopOf(server).Accepted.Count.ShouldBe(0);
        await ConnectAsync(server, await ClientAsync());
    }

    [Fact]
    public async Task Peer_that_names_no_application_protocol_is_refused()
    {
        ITransportEndpoint server = await ServerAsync();
        ITransportEndpoint silent = await BindAsync(new EndpointTuning { OmitProtocol = true });

        (await RefusalAsync(silent, server.LocalEndPoint)).ShouldNotBe(MeshError.Unreachable);
        await Should.ThrowAsync<MeshException>(() => Within(server.ConnectAsync(silent.LocalEndPoint, CancellationToken.None)));

        LoopOf(server).Accepted.Count.ShouldBe(0);
        LoopOf(silent).Accepted.Count.ShouldBe(0);
    }

    [Fact]
    public async Task Certificate_whose_key_may_not_sign_is_refused_with_a_reason()
    {
        using X509Certificate2 unfit = Create(X509KeyUsageFlags.KeyEncipherment);
        ITransportEndpoint server = await ServerAsync(o => o with { Certificate = unfit });

        MeshException refusal = await Fails(MeshError.CertificateRefused, (await ClientAsync()).ConnectAsync(server.LocalEndPoint, CancellationToken.None));

        refusal.Message.ShouldContain("certificate", Case.Insensitive);
    }

    [Fact]
    public async Task Certificate_without_key_usage_works_for_whom_the_decision_accepts_it()
    {
        using X509Certificate2 plain = Create(X509KeyUsageFlags.None);

        ConnectionPair pair = await ConnectAsync(o => o with { Certificate = plain }, o => o with { Certificate = plain });

        pair.Server.PeerId.ShouldBe(PeerId.FromCertificate(plain));
    }

    [Fact]
    public async Task Decision_that_throws_is_a_refusal()
    {
        ITransportEndpoint server = await ServerAsync();
        ITransportEndpoint broken = await ClientAsync(o => o with { VerifyPeer = _ => throw new InvalidOperationException("test") });

        await Fails(MeshError.CertificateRefused, broken.ConnectAsync(server.LocalEndPoint, CancellationToken.None));

        await ConnectAsync(server, await ClientAsync());
    }

    [Fact]
    public async Task Rsa_and_P384_keys_are_known_by_the_same_identity()
    {
        using var rsa = RSA.Create(2048);
        using X509Certificate2 rsaCertificate = SelfSign(new CertificateRequest("CN=rsa", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pss));
        using var p384 = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        using X509Certificate2 p384Certificate = SelfSign(new CertificateRequest("CN=p384", p384, HashAlgorithmName.SHA384));

        ConnectionPair pair = await ConnectAsync(o => o with { Certificate = rsaCertificate }, o => o with { Certificate = p384Certificate });

        pair.Client.PeerId.ShouldBe(PeerId.FromCertificate(rsaCertificate));
        pair.Server.PeerId.ShouldBe(PeerId.FromCertificate(p384Certificate));
    }

    [Fact]
    public void Damaged_certificates_are_refused_without_another_exception()
    {
        byte[] certificate = ServerCertificate.RawData;
        var random = new Random(3);
        for (int i = 0; i < 20_000; i++)
        {
            byte[] damaged = [.. certificate.AsSpan(0, random.Next(1, certificate.Length + 1))];
            for (int k = random.Next(4); k > 0; k--)
                damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            try
            {
                CertificateReader.PublicKeyInfo(damaged);
            }
            catch (AsnContentException)
            {
            }
        }
    }

    [Fact]
    public async Task Certificate_without_a_private_key_can_not_be_used()
    {
        using X509Certificate2 withoutKey = X509CertificateLoader.LoadCertificate(ServerCertificate.RawData);

        await Should.ThrowAsync<ArgumentException>(() => Transport.BindAsync(Options(withoutKey), CancellationToken.None));
    }

    private static X509Certificate2 Create(X509KeyUsageFlags usage)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=usage", key, HashAlgorithmName.SHA256);
        if (usage != X509KeyUsageFlags.None)
            request.CertificateExtensions.Add(new X509KeyUsageExtension(usage, critical: true));
        return SelfSign(request);
    }

    private static X509Certificate2 SelfSign(CertificateRequest request)
    {
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        using X509Certificate2 certificate = request.CreateSelfSigned(now.AddHours(-1), now.AddDays(1));
        return TestCertificates.Exportable(certificate);
    }
}
