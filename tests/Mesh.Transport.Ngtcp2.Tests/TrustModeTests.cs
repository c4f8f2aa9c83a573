using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EventMesh.Events;
using EventMesh.Node;
using EventMesh.Tests;
using EventMesh.Tests.Common.Nodes;
using EventMesh.Tests.Common.Trust;
using EventMesh.Transport.Ngtcp2.Internal;
using EventMesh.Trust;
using Shouldly;
using Xunit;

namespace EventMesh.Transport.Ngtcp2.Tests;

/// <summary>
/// A node in a validating trust mode against peers with certificates of all kinds, over real QUIC and in both directions: the peer learns a code, the
/// operator the reason.
/// </summary>
public sealed class TrustModeTests : ProviderTests
{
    private const ulong CertificateRefused = 25;
    private const string NodeName = "node.example.org";

    private readonly TestAuthority _root = TestAuthority.Root();
    private readonly string _directory = Directory.CreateTempSubdirectory("eventmesh-trust-").FullName;
    private readonly CapturedLog _log = new();

    public TrustModeTests() => Own(new Folder(_directory));

    /// <summary>The bad certificates by name; made in the test, since they belong to its root.</summary>
    public static TheoryData<string> BadCertificates =>
    [
        "wrong root", "wrong root sent along", "expired", "not yet valid", "wrong extended key usage", "missing intermediate", "revoked",
        "self-signed", "weak key", "authority",
    ];

    [Theory]
    [MemberData(nameof(BadCertificates))]
    public async Task A_peer_with_a_bad_certificate_is_refused_as_dialer_and_as_acceptor(string kind)
    {
        using Bad bad = Make(kind);
        string? list = bad.RevocationList is null ? null : WriteFile(bad.RevocationList);
        await using TestNode node = await NodeAsync(o => o.Trust.RevocationLists = list is null ? [] : [list]);

        await IsRefusedAsync(node, o => o with { Certificate = bad.Certificate, Intermediates = bad.Intermediates }, bad.Reason);
    }

    [Fact]
    public async Task A_stolen_certificate_without_its_key_is_refused_by_tls_itself()
    {
        using X509Certificate2 victim = _root.Issue("victim");
        using var otherKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        await using TestNode node = await NodeAsync();
        ITransportEndpoint thief = await BindAsync(new EndpointTuning { Identity = TlsIdentity.Forged(victim, otherKey) }, certificate: victim);

        (await RefusalAsync(thief, node.EndPoint)).ShouldBe(MeshError.CertificateRefused, "as dialer");
        (await Should.ThrowAsync<MeshException>(() => Within(node.Mesh.ConnectAsync(thief.LocalEndPoint)))).Error.ShouldBe(MeshError.CertificateRefused);

        node.Journal.State.Node.KnownKeys.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_certificate_that_may_not_sign_is_refused_by_tls_itself()
    {
        using X509Certificate2 unfit = _root.Issue(shape: new() { Usage = X509KeyUsageFlags.KeyEncipherment });
        await using TestNode node = await NodeAsync();
        ITransportEndpoint dialer = await ClientAsync(o => o with { Certificate = unfit });
        ITransportEndpoint acceptor = await ServerAsync(o => o with { Certificate = unfit });

        (await RefusalAsync(dialer, node.EndPoint)).ShouldBe(MeshError.CertificateRefused, "as dialer");
        (await Should.ThrowAsync<MeshException>(() => Within(node.Mesh.ConnectAsync(acceptor.LocalEndPoint)))).Error.ShouldBe(MeshError.CertificateRefused);

        node.Journal.State.Node.KnownKeys.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_chain_that_asks_to_fetch_makes_nobody_fetch()
    {
        using var web = new TcpListener(IPAddress.Loopback, 0);
        web.Start();
        Task<TcpClient> visitor = web.AcceptTcpClientAsync();
        var at = (IPEndPoint)web.LocalEndpoint;
        using TestAuthority intermediate = _root.Intermediate();
        using X509Certificate2 asking = intermediate.Issue(shape: new()
        {
            Extensions =
            [
                new X509AuthorityInformationAccessExtension([$"http://{at}/ocsp"], [$"http://{at}/intermediate.crt"]),
                CertificateRevocationListBuilder.BuildCrlDistributionPointExtension([$"http://{at}/list.crl"]),
            ],
        });
        await using TestNode node = await NodeAsync();

        await IsRefusedAsync(node, o => o with { Certificate = asking }, "neither a trusted root nor sent along");

        visitor.IsCompleted.ShouldBeFalse("nobody came during the verdicts");
        using var probe = new TcpClient();
        await probe.ConnectAsync(at, TestContext.Current.CancellationToken);
        using TcpClient first = await Within(visitor);
        ((IPEndPoint)first.Client.RemoteEndPoint!).Port.ShouldBe(((IPEndPoint)probe.Client.LocalEndPoint!).Port, "the first visitor is the probe");
    }

    [Fact]
    public async Task Two_nodes_of_one_authority_join_and_one_of_another_is_refused_on_both_sides_with_a_reason()
    {
        using TestAuthority intermediate = _root.Intermediate();
        using TestAuthority other = TestAuthority.Root("other");
        var strangersLog = new CapturedLog();
        await using TestNode a = await NodeAsync(issuer: intermediate);
        await using TestNode b = await NodeAsync();
        await using TestNode stranger = await NodeAsync(o => o.Trust.Roots = [WriteFile(other.Certificate.ExportCertificatePem())], issuer: other, log: strangersLog);

        await a.ConnectAsync(b);
        await b.WhenJoinedAsync(a);
        MeshException dial = await Should.ThrowAsync<MeshException>(() => a.ConnectAsync(stranger));
        MeshException back = await Should.ThrowAsync<MeshException>(() => stranger.ConnectAsync(a));

        foreach (MeshException refusal in new[] { dial, back }) refusal.Error.ShouldBe(MeshError.CertificateRefused, refusal.Message);
        dial.Message.ShouldContain("CN=other", Case.Sensitive, "the operator of the node that dialled learns the reason");
        back.Message.ShouldContain("CN=intermediate");
        _log.Warnings.ShouldContain(line => line.Contains("CN=other", StringComparison.Ordinal));
        strangersLog.Warnings.ShouldContain(line => line.Contains("CN=intermediate", StringComparison.Ordinal));
        await a.WhenAsync(n => n.Log.OfType<DialFailed>().Any(e => e.Detail.Contains("CN=other", StringComparison.Ordinal)), "the failed dial is in the log with its reason");
        a.Mesh.Peers.ShouldHaveSingleItem().Peer.ShouldBe(b.Id);
        stranger.Mesh.Peers.ShouldBeEmpty();
        a.Log.OfType<CertificateAccepted>().ShouldHaveSingleItem().Mode.ShouldBe(TrustMode.PrivateAuthority);
    }

    [Fact]
    public async Task Public_certificates_join_by_names_on_the_allow_list_and_no_other()
    {
        await using TestNode a = await PublicNodeAsync("a.example.org", ".example.org");
        await using TestNode b = await PublicNodeAsync("b.example.org", ".example.org");
        await using TestNode shop = await PublicNodeAsync("shop.example.com", ".example.org", ".example.com");

        await a.ConnectAsync(b);
        await b.WhenJoinedAsync(a);
        MeshException dial = await Should.ThrowAsync<MeshException>(() => a.ConnectAsync(shop));
        MeshException back = await Should.ThrowAsync<MeshException>(() => shop.ConnectAsync(a));

        dial.Error.ShouldBe(MeshError.CertificateRefused);
        dial.Message.ShouldContain("'shop.example.com' is not among the names");
        back.Error.ShouldBe(MeshError.CertificateRefused);
        back.RemoteCode.ShouldBe(CertificateRefused);
        back.Message.ShouldNotContain("AllowedNames", Case.Sensitive, "the remote learns only a code");
        _log.Warnings.ShouldContain(line => line.Contains("'shop.example.com' is not among the names", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_name_that_is_not_in_the_certificate_is_refused()
    {
        await using TestNode honest = await PublicNodeAsync("a.example.org", ".example.org");
        // Its own start would refuse the name: it asks for no names, and claims one on the wire all the same.
        using X509Certificate2 own = _root.Issue(shape: new() { DnsNames = ["b.example.org"], Purposes = [TestAuthority.ServerAuthentication] });
        await using TestNode liar = await StartAsync(own, [], o =>
        {
            o.Trust.Mode = TrustMode.Encrypted;
            o.Trust.DnsName = "a.example.org";
        });

        MeshException dial = await Should.ThrowAsync<MeshException>(() => honest.ConnectAsync(liar));
        MeshException back = await Should.ThrowAsync<MeshException>(() => liar.ConnectAsync(honest));

        dial.Error.ShouldBe(MeshError.CertificateRefused);
        dial.Message.ShouldContain("calls itself 'a.example.org'");
        back.RemoteCode.ShouldBe(CertificateRefused);
    }

    [Fact]
    public async Task A_node_whose_own_certificate_its_peers_would_refuse_does_not_start()
    {
        MeshException selfSigned = await Should.ThrowAsync<MeshException>(() => TestNode.StartAsync(Real(), Private));
        selfSigned.Error.ShouldBe(MeshError.InvalidConfiguration);
        selfSigned.Message.ShouldContain("self-signed");
        selfSigned.Message.ShouldContain("mesh identity import");

        MeshException wrongName = await Should.ThrowAsync<MeshException>(() => NodeAsync(o => o.Trust.DnsName = NodeName));
        wrongName.Message.ShouldContain(NodeName);
    }

    [Fact]
    public async Task A_certificate_for_clients_is_enough_to_dial_and_not_to_be_dialled()
    {
        using X509Certificate2 own = _root.Issue(shape: new() { Purposes = [TestAuthority.ClientAuthentication] });
        await using TestNode node = await NodeAsync();
        await using TestNode client = await StartAsync(own, [], options =>
        {
            Private(options);
            options.Kind = Identity.PeerKind.Client;
        });

        await client.ConnectAsync(node);
        await node.WhenJoinedAsync(client);

        (await Should.ThrowAsync<MeshException>(() => StartAsync(own, [], Private))).Message.ShouldContain("extended key usage does not allow it to be a TLS server");
    }

    [Fact]
    public async Task A_revocation_list_that_changes_counts_without_a_restart_and_ends_live_connections()
    {
        using X509Certificate2 peer = _root.Issue("peer");
        string list = WriteFile(_root.Revoke());
        var clock = new JumpingClock();
        await using TestNode node = await NodeAsync(o => o.Trust.RevocationLists = [list], clock: clock);
        await using TestNode other = await StartAsync(peer, [], Private);
        await node.ConnectAsync(other);

        await File.WriteAllTextAsync(list, _root.Revoke(peer), TestContext.Current.CancellationToken);
        File.SetLastWriteTimeUtc(list, DateTime.UnixEpoch.AddYears(60));
        clock.Jump(TimeSpan.FromSeconds(31));

        await node.WhenLeftAsync(other.Id);
        (await Should.ThrowAsync<MeshException>(() => node.ConnectAsync(other))).Message.ShouldContain("revocation list");
    }

    private async Task IsRefusedAsync(TestNode node, Func<TransportEndpointOptions, TransportEndpointOptions> peer, string reason)
    {
        ITransportEndpoint dialer = await ClientAsync(peer);
        ITransportEndpoint acceptor = await ServerAsync(peer);

        ITransportConnection dialed = Own(await Within(dialer.ConnectAsync(node.EndPoint, CancellationToken.None)));
        TransportCloseInfo told = await Within(dialed.Closed);
        told.ApplicationCode.ShouldBe(CertificateRefused, "as dialer");
        told.Detail.ShouldNotContain(reason, Case.Insensitive, "the remote learns only a code");
        _log.Warnings.ShouldContain(line => line.Contains(reason, StringComparison.Ordinal), "as dialer");

        Task<ITransportConnection> accepting = acceptor.AcceptAsync(CancellationToken.None);
        MeshException dial = await Should.ThrowAsync<MeshException>(() => Within(node.Mesh.ConnectAsync(acceptor.LocalEndPoint)));
        dial.Error.ShouldBe(MeshError.CertificateRefused, "as acceptor");
        dial.Message.ShouldContain(reason);
        ITransportConnection accepted = Own(await Within(accepting));
        (await Within(accepted.Closed)).ApplicationCode.ShouldBe(CertificateRefused, "as acceptor");
        await Fails(MeshError.ClosedByPeer, accepted.AcceptStreamAsync(CancellationToken.None));

        node.Mesh.Peers.ShouldBeEmpty();
        node.Journal.State.Node.KnownKeys.ShouldBeEmpty();
    }

    private Bad Make(string kind)
    {
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        switch (kind)
        {
            case "wrong root" or "wrong root sent along":
                using (TestAuthority other = TestAuthority.Root("other"))
                {
                    X509Certificate2 root = X509CertificateLoader.LoadCertificate(other.Certificate.RawData);
                    return new Bad(other.Issue(), kind == "wrong root" ? [] : [root], "CN=other");
                }
            case "expired":
                return new Bad(_root.Issue(shape: new() { NotBefore = now.AddDays(-2), NotAfter = now.AddDays(-1) }), [], "has expired");
            case "not yet valid":
                return new Bad(_root.Issue(shape: new() { NotBefore = now.AddDays(1), NotAfter = now.AddDays(2) }), [], "not valid before");
            case "wrong extended key usage":
                return new Bad(_root.Issue(shape: new() { Purposes = [new Oid("1.3.6.1.5.5.7.3.3")] }), [], "extended key usage");
            case "missing intermediate":
                using (TestAuthority intermediate = _root.Intermediate("the one in between")) return new Bad(intermediate.Issue(), [], "the one in between");
            case "revoked":
                X509Certificate2 revoked = _root.Issue("revoked");
                return new Bad(revoked, [], "revocation list", _root.Revoke(revoked));
            case "self-signed":
                return new Bad(TestCertificates.Create(), [], "self-signed");
            case "weak key":
                return new Bad(_root.Issue(shape: new() { Key = ECDsa.Create(ECCurve.NamedCurves.nistP521) }), [], "P-256");
            case "authority":
                return new Bad(_root.Issue(shape: new() { IsAuthority = true, Usage = X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.KeyCertSign }), [], "of an authority");
            default:
                throw new ArgumentOutOfRangeException(nameof(kind), kind, null);
        }
    }

    private static Ngtcp2TransportProvider Real()
    {
        Provider.Create();
        return new Ngtcp2TransportProvider();
    }

    private void Private(MeshOptions options)
    {
        options.Trust.Mode = TrustMode.PrivateAuthority;
        options.Trust.Roots = [WriteFile(_root.Certificate.ExportCertificatePem())];
    }

    private async Task<TestNode> NodeAsync(
        Action<MeshOptions>? configure = null, TestAuthority? issuer = null, CapturedLog? log = null, TimeProvider? clock = null)
    {
        using X509Certificate2 own = (issuer ?? _root).Issue();
        return await StartAsync(own, (issuer ?? _root).Intermediates, options =>
        {
            Private(options);
            configure?.Invoke(options);
        }, log, clock);
    }

    /// <summary>A node that takes the test's root for a public one.</summary>
    private async Task<TestNode> PublicNodeAsync(string name, params string[] allowed)
    {
        using X509Certificate2 own = _root.Issue(shape: new() { DnsNames = [name], Purposes = [TestAuthority.ServerAuthentication] });
        return await StartAsync(own, [], options =>
        {
            Private(options);
            options.Trust.Mode = TrustMode.PublicAuthority;
            options.Trust.DnsName = name;
            options.Trust.AllowedNames = allowed;
        });
    }

    private async Task<TestNode> StartAsync(
        X509Certificate2 own, IEnumerable<X509Certificate2> intermediates, Action<MeshOptions> configure, CapturedLog? log = null, TimeProvider? clock = null)
    {
        string directory = Directory.CreateDirectory(Path.Combine(_directory, Guid.NewGuid().ToString("N"))).FullName;
        string key = (own.GetECDsaPrivateKey() as AsymmetricAlgorithm ?? own.GetRSAPrivateKey()!).ExportPkcs8PrivateKeyPem();
        string chain = string.Join('\n', intermediates.Prepend(own).Select(one => one.ExportCertificatePem()));
        NodeIdentity.Import(directory, chain, key, keepsHistory: true, TimeProvider.System).Dispose();
        return await TestNode.StartAsync(Real(), configure, directory: directory, log: log ?? _log, clock: clock);
    }

    private string WriteFile(string content)
    {
        string path = Path.Combine(_directory, Guid.NewGuid().ToString("N"));
        File.WriteAllText(path, content);
        return path;
    }

    private sealed record Bad(X509Certificate2 Certificate, IReadOnlyList<X509Certificate2> Intermediates, string Reason, string? RevocationList = null) : IDisposable
    {
        public void Dispose() => Certificate.Dispose();
    }

    private sealed class Folder(string path) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            Directory.Delete(path, recursive: true);
            return ValueTask.CompletedTask;
        }
    }
}
