using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EventMesh.Events;
using EventMesh.Tests;
using EventMesh.Tests.Common.Trust;
using EventMesh.Trust.Internal;
using Shouldly;
using Xunit;

namespace EventMesh.Core.Tests.Trust;

/// <summary>The verdict on chains, with real certificates.</summary>
public sealed class CertificateJudgeTests : IDisposable
{
    private static readonly DateTimeOffset Now = TimeProvider.System.GetUtcNow();

    private readonly TestAuthority _root = TestAuthority.Root();

    public void Dispose() => _root.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_certificate_of_the_root_is_accepted_in_both_roles(bool isServer)
    {
        using X509Certificate2 own = _root.Issue();

        Judge([own], isServer).ShouldBeNull();
    }

    [Fact]
    public void A_certificate_below_an_intermediate_is_accepted_when_the_intermediate_is_sent_along_in_any_order()
    {
        using TestAuthority first = _root.Intermediate("first");
        using TestAuthority second = first.Intermediate("second");
        using X509Certificate2 own = second.Issue();

        Judge([own, second.Certificate, first.Certificate]).ShouldBeNull();
        Judge([own, first.Certificate, second.Certificate]).ShouldBeNull();
        Judge([own, second.Certificate, first.Certificate, _root.Certificate]).ShouldBeNull("the root may come along");
    }

    [Fact]
    public void A_missing_intermediate_is_named()
    {
        using TestAuthority intermediate = _root.Intermediate("the one in between");
        using X509Certificate2 own = intermediate.Issue();

        CertificateRefusal refusal = Refused(CertificateProblem.IncompleteChain, [own]);

        refusal.Reason.ShouldContain("the one in between");
    }

    [Fact]
    public void Another_root_is_refused_whether_it_is_sent_along_or_not()
    {
        using TestAuthority other = TestAuthority.Root("other");
        using X509Certificate2 own = other.Issue();

        Refused(CertificateProblem.IncompleteChain, [own]).Reason.ShouldContain("CN=other");
        Refused(CertificateProblem.UntrustedRoot, [own, other.Certificate]).Reason.ShouldContain("CN=other");
    }

    [Fact]
    public void A_root_of_the_same_name_with_another_key_vouches_for_nobody()
    {
        using TestAuthority impostor = TestAuthority.Root();
        using X509Certificate2 own = impostor.Issue();

        Judge([own]).ShouldNotBeNull();
        Judge([own, impostor.Certificate]).ShouldNotBeNull();
    }

    [Fact]
    public void A_changed_certificate_is_refused()
    {
        using X509Certificate2 own = _root.Issue("honest");
        byte[] changed = own.RawData;
        changed[changed.AsSpan().IndexOf("honest"u8)] = (byte)'H';

        CertificateJudge.Judge([changed], isServer: true, Policy(), [], Now)!.Problem.ShouldBe(CertificateProblem.BadSignature);
    }

    [Fact]
    public void A_self_signed_certificate_is_refused_even_when_it_is_a_root()
    {
        using X509Certificate2 own = TestCertificates.Create();

        Refused(CertificateProblem.SelfSigned, [own]);
        Refused(CertificateProblem.SelfSigned, [_root.Certificate]);
    }

    [Fact]
    public void Validity_is_checked_at_both_ends_and_of_the_authorities_too()
    {
        using X509Certificate2 expired = _root.Issue(shape: new() { NotBefore = Now.AddDays(-2), NotAfter = Now.AddDays(-1) });
        using X509Certificate2 early = _root.Issue(shape: new() { NotBefore = Now.AddDays(1), NotAfter = Now.AddDays(2) });
        using TestAuthority old = _root.Intermediate(notAfter: Now.AddDays(-1));
        using X509Certificate2 below = old.Issue();

        Refused(CertificateProblem.Expired, [expired]).Reason.ShouldContain("has expired");
        Refused(CertificateProblem.NotYetValid, [early]).Reason.ShouldContain("not valid before");
        Refused(CertificateProblem.Expired, [below, old.Certificate]).Reason.ShouldContain("CN=intermediate");
        Judge([expired], now: Now.AddDays(-1.5)).ShouldBeNull("the clock is the caller's");
    }

    [Fact]
    public void Key_usage_has_to_allow_signatures()
    {
        using X509Certificate2 unfit = _root.Issue(shape: new() { Usage = X509KeyUsageFlags.KeyEncipherment });
        using X509Certificate2 silent = _root.Issue(shape: new() { Usage = X509KeyUsageFlags.None });

        Refused(CertificateProblem.WrongUsage, [unfit]);
        Judge([silent]).ShouldBeNull("without the extension any usage is allowed");
    }

    [Fact]
    public void Extended_key_usage_decides_on_the_role()
    {
        using X509Certificate2 server = _root.Issue(shape: new() { Purposes = [TestAuthority.ServerAuthentication] });
        using X509Certificate2 client = _root.Issue(shape: new() { Purposes = [TestAuthority.ClientAuthentication] });
        using X509Certificate2 codeSigning = _root.Issue(shape: new() { Purposes = [new Oid("1.3.6.1.5.5.7.3.3")] });

        Judge([server], isServer: true).ShouldBeNull();
        Judge([server], isServer: false).ShouldBeNull("public authorities issue nothing else");
        Judge([client], isServer: false).ShouldBeNull();
        Refused(CertificateProblem.WrongUsage, [client], isServer: true);
        Refused(CertificateProblem.WrongUsage, [codeSigning], isServer: true);
        Refused(CertificateProblem.WrongUsage, [codeSigning], isServer: false);
    }

    [Fact]
    public void A_public_certificate_needs_serverAuth_in_both_roles()
    {
        TrustPolicy policy = Policy(TrustMode.PublicAuthority, "node.example.org");
        using X509Certificate2 client = _root.Issue(shape: new() { Purposes = [TestAuthority.ClientAuthentication] });
        using X509Certificate2 none = _root.Issue(shape: new() { Purposes = null });
        using X509Certificate2 server = _root.Issue(shape: new() { Purposes = [TestAuthority.ServerAuthentication] });

        foreach (bool isServer in new[] { true, false })
        {
            Judge([server], isServer, policy).ShouldBeNull();
            Judge([client], isServer, policy)!.Problem.ShouldBe(CertificateProblem.WrongUsage);
            Judge([none], isServer, policy)!.Problem.ShouldBe(CertificateProblem.WrongUsage);
        }
    }

    [Fact]
    public void Nodes_can_not_vouch_for_others_and_authorities_are_no_nodes()
    {
        using TestAuthority node = _root.Intermediate("a node", isAuthority: false, X509KeyUsageFlags.DigitalSignature);
        using TestAuthority notSigning = _root.Intermediate("no signer", usage: X509KeyUsageFlags.CrlSign);
        using X509Certificate2 belowNode = node.Issue();
        using X509Certificate2 belowNotSigning = notSigning.Issue();
        using X509Certificate2 authority = _root.Issue(shape: new() { IsAuthority = true, Usage = X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.KeyCertSign });

        Judge([belowNode, node.Certificate]).ShouldNotBeNull();
        Judge([belowNotSigning, notSigning.Certificate]).ShouldNotBeNull();
        Refused(CertificateProblem.BrokenConstraint, [authority]);
    }

    [Fact]
    public void Weak_keys_are_refused()
    {
        using X509Certificate2 rsa1024 = _root.Issue(shape: new() { Key = RSA.Create(1024) });
        using X509Certificate2 p521 = _root.Issue(shape: new() { Key = ECDsa.Create(ECCurve.NamedCurves.nistP521) });
        using X509Certificate2 rsa2048 = _root.Issue(shape: new() { Key = RSA.Create(2048) });
        using X509Certificate2 p384 = _root.Issue(shape: new() { Key = ECDsa.Create(ECCurve.NamedCurves.nistP384) });

        Refused(CertificateProblem.WeakKey, [rsa1024]).Reason.ShouldContain("1024");
        Refused(CertificateProblem.WeakKey, [p521]).Reason.ShouldContain("P-256");
        Judge([rsa2048]).ShouldBeNull();
        Judge([p384]).ShouldBeNull();
    }

    [Fact]
    public void Revoked_certificates_of_nodes_and_authorities_are_refused()
    {
        using TestAuthority intermediate = _root.Intermediate();
        using X509Certificate2 good = intermediate.Issue("good");
        using X509Certificate2 bad = intermediate.Issue("bad");
        RevocationList ofNodes = Parse(intermediate.Revoke(bad));
        RevocationList ofAuthorities = Parse(_root.Revoke(intermediate.Certificate));

        Judge([good, intermediate.Certificate], revoked: [ofNodes]).ShouldBeNull();
        CertificateRefusal refusal = Judge([bad, intermediate.Certificate], revoked: [ofNodes])!;
        refusal.Problem.ShouldBe(CertificateProblem.Revoked);
        refusal.Reason.ShouldContain(bad.SerialNumber);
        Judge([good, intermediate.Certificate], revoked: [ofAuthorities])!.Problem.ShouldBe(CertificateProblem.Revoked);
        Parse(_root.Revoke(bad)).Revokes(bad).ShouldBeFalse("another authority's list says nothing");
    }

    [Fact]
    public void A_list_that_another_key_has_signed_is_known_as_such()
    {
        using TestAuthority impostor = TestAuthority.Root();
        RevocationList genuine = Parse(_root.Revoke()), forged = Parse(impostor.Revoke());

        genuine.IsSignedBy(_root.Certificate).ShouldBeTrue();
        forged.IsNamedAfter(_root.Certificate).ShouldBeTrue();
        forged.IsSignedBy(_root.Certificate).ShouldBeFalse();
    }

    [Fact]
    public async Task Nothing_is_fetched_whatever_a_chain_asks_for()
    {
        using var web = new TcpListener(IPAddress.Loopback, 0);
        web.Start();
        Task<TcpClient> visitor = web.AcceptTcpClientAsync();
        string url = $"http://127.0.0.1:{((IPEndPoint)web.LocalEndpoint).Port}";
        using TestAuthority intermediate = _root.Intermediate();
        using X509Certificate2 asking = intermediate.Issue(shape: new()
        {
            Extensions =
            [
                new X509AuthorityInformationAccessExtension([url + "/ocsp"], [url + "/intermediate.crt"]),
                CertificateRevocationListBuilder.BuildCrlDistributionPointExtension([url + "/list.crl"]),
            ],
        });

        Refused(CertificateProblem.IncompleteChain, [asking]);
        Judge([asking, intermediate.Certificate]).ShouldBeNull();

        // A visit of ours shows that a visit would have been seen.
        visitor.IsCompleted.ShouldBeFalse("nobody came during the verdicts");
        using var probe = new TcpClient();
        await probe.ConnectAsync((IPEndPoint)web.LocalEndpoint, TestContext.Current.CancellationToken);
        using TcpClient first = await visitor.WaitAsync(TimeSpan.FromMinutes(2), TestContext.Current.CancellationToken);
        ((IPEndPoint)first.Client.RemoteEndPoint!).Port.ShouldBe(((IPEndPoint)probe.Client.LocalEndPoint!).Port, "the first visitor is the probe");
    }

    [Fact]
    public void What_is_no_certificate_or_too_much_is_refused()
    {
        using X509Certificate2 own = _root.Issue();
        ReadOnlyMemory<byte> der = own.RawData;

        CertificateJudge.Judge([der[..^1]], true, Policy(), [], Now)!.Problem.ShouldBe(CertificateProblem.Unreadable);
        CertificateJudge.Judge([new byte[100]], true, Policy(), [], Now)!.Problem.ShouldBe(CertificateProblem.Unreadable);
        CertificateJudge.Judge([], true, Policy(), [], Now)!.Problem.ShouldBe(CertificateProblem.Unreadable);
        CertificateJudge.Judge([.. Enumerable.Repeat(der, 9)], true, Policy(), [], Now)!.Problem.ShouldBe(CertificateProblem.Unreadable);
        CertificateJudge.IsWellSized([new byte[64 * 1024 + 1]]).ShouldBeFalse();
    }

    [Fact]
    public void Damaged_chains_are_refused_or_accepted_but_never_throw()
    {
        using TestAuthority intermediate = _root.Intermediate();
        using X509Certificate2 own = intermediate.Issue();
        var random = new Random(7);
        for (int i = 0; i < 300; i++)
        {
            byte[] damaged = own.RawData;
            for (int k = random.Next(1, 4); k > 0; k--) damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            CertificateJudge.Judge([damaged, intermediate.Certificate.RawData], true, Policy(), [], Now);
        }
    }

    [Fact]
    public void In_the_mode_encrypted_anything_does()
    {
        using X509Certificate2 own = TestCertificates.Create(notAfter: Now.AddMinutes(-1));

        Judge([own], policy: TrustPolicy.Encrypted).ShouldBeNull();
        CertificateJudge.JudgeName(own.RawData, "anything at all", TrustPolicy.Encrypted).ShouldBeNull();
    }

    [Theory]
    [InlineData("node1.example.org", null)]
    [InlineData("NODE1.example.org", null)]
    [InlineData("a.nodes.example.org", null)]
    [InlineData("", CertificateProblem.NameMissing)]
    [InlineData("127.0.0.1", CertificateProblem.NameMissing)]
    [InlineData("not a name", CertificateProblem.NameMissing)]
    [InlineData("node2.example.org", CertificateProblem.NameNotInCertificate)]
    [InlineData("a.b.nodes.example.org", CertificateProblem.NameNotInCertificate)]
    [InlineData("shop.example.com", CertificateProblem.NameNotAllowed)]
    public void A_name_has_to_be_in_the_certificate_and_on_the_allow_list(string name, object? expected)
    {
        using X509Certificate2 own = _root.Issue("common.example.org", new() { DnsNames = ["node1.example.org", "*.nodes.example.org", "shop.example.com"] });

        CertificateJudge.JudgeName(own.RawData, name, Policy(TrustMode.PublicAuthority, ".example.org"))?.Problem.ShouldBe((CertificateProblem)expected!);
        CertificateJudge.JudgeName(own.RawData, "common.example.org", Policy(TrustMode.PublicAuthority, ".example.org"))!.Problem
            .ShouldBe(CertificateProblem.NameNotInCertificate, "a common name is no DNS name");
    }

    [Theory]
    [InlineData("node1.example.org", true)]
    [InlineData("*.example.com", true)]
    [InlineData("shop.example.com", false)]
    public void A_cached_certificate_is_worth_a_dial_when_it_may_bear_an_allowed_name(string name, bool isWorthADial)
    {
        using X509Certificate2 cached = _root.Issue(shape: new() { DnsNames = [name] });

        CertificateJudge.MayBearAllowedName(cached.RawData, Policy(TrustMode.PublicAuthority, ".example.org")).ShouldBe(isWorthADial);
        CertificateJudge.MayBearAllowedName(cached.RawData, Policy()).ShouldBeTrue();
    }

    [Fact]
    public void A_private_authority_asks_for_names_only_when_some_are_listed_but_believes_none_unproven()
    {
        using X509Certificate2 own = _root.Issue(shape: new() { DnsNames = ["node1.example.org"] });

        CertificateJudge.JudgeName(own.RawData, "", Policy()).ShouldBeNull();
        CertificateJudge.JudgeName(own.RawData, "node1.example.org", Policy()).ShouldBeNull();
        CertificateJudge.JudgeName(own.RawData, "other.example.org", Policy())!.Problem.ShouldBe(CertificateProblem.NameNotInCertificate);
        CertificateJudge.JudgeName(own.RawData, "", Policy(TrustMode.PrivateAuthority, "node1.example.org"))!.Problem.ShouldBe(CertificateProblem.NameMissing);
    }

    [Theory]
    [InlineData("example.org", false)]
    [InlineData("a.example.org", true)]
    [InlineData("a.b.example.org", true)]
    [InlineData("badexample.org", false)]
    [InlineData(".example.org", false)]
    [InlineData("exact.example.net", true)]
    [InlineData("not.exact.example.net", false)]
    public void A_suffix_allows_what_is_below_it_only(string name, bool isAllowed) =>
        DnsNames.IsAllowed(name, [".example.org", "exact.example.net"]).ShouldBe(isAllowed);

    private static RevocationList Parse(string pem) => RevocationList.ParseFile(System.Text.Encoding.ASCII.GetBytes(pem)).ShouldHaveSingleItem();

    private TrustPolicy Policy(TrustMode mode = TrustMode.PrivateAuthority, params string[] names) => new(mode, [_root.Certificate], names);

    private CertificateRefusal? Judge(
        X509Certificate2[] chain, bool isServer = true, TrustPolicy? policy = null, RevocationList[]? revoked = null, DateTimeOffset? now = null) =>
        CertificateJudge.Judge([.. chain.Select(one => one.RawDataMemory)], isServer, policy ?? Policy(), revoked ?? [], now ?? Now);

    private CertificateRefusal Refused(CertificateProblem problem, X509Certificate2[] chain, bool isServer = true)
    {
        CertificateRefusal refusal = Judge(chain, isServer).ShouldNotBeNull();
        refusal.Problem.ShouldBe(problem, refusal.Reason);
        return refusal;
    }
}
