using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using EventMesh.Events;
using EventMesh.Host.Authority;
using EventMesh.Host.Errors;
using EventMesh.Host.Tests.Support;
using EventMesh.Identity;
using EventMesh.Node;
using EventMesh.Tests.Common.Nodes;
using EventMesh.Transport.InMemory;

namespace EventMesh.Host.Tests.Commands;

/// <summary><c>mesh ca</c> and what nodes make of its files.</summary>
public sealed class CaCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mesh-ca-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Nodes_with_certificates_of_the_authority_join_and_a_revoked_one_does_not(bool withIntermediate)
    {
        await RunAsync([.. Ca("init"), "--name", "Test", .. withIntermediate ? ["--intermediate"] : Array.Empty<string>()]);
        foreach (string node in new[] { "a", "b", "c" })
        {
            await File.WriteAllTextAsync(At(node + ".csr"), (await RunAsync("identity", "request", "--data", At("data-" + node))).Output);
            await RunAsync([.. Ca("issue"), node, "--request", At(node + ".csr"), "--dns", $"{node}.example.org", "--out", _folder]);
            await RunAsync("identity", "import", "--data", At("data-" + node), "--certificate", At(node + ".crt"));
        }
        await RunAsync([.. Ca("revoke"), "c", "--reason", "keycompromise"]);
        var network = new InMemoryTransportProvider(new InMemoryNetwork());
        await using TestNode a = await StartAsync(network, "a");
        await using TestNode b = await StartAsync(network, "b");
        await using TestNode c = await StartAsync(network, "c", knowsRevoked: false);

        await a.ConnectAsync(b);
        MeshException refusal = await Should.ThrowAsync<MeshException>(() => a.ConnectAsync(c));

        refusal.Error.ShouldBe(MeshError.CertificateRefused);
        refusal.Message.ShouldContain("revocation list");
        a.Id.ShouldBe(Peer("a"), "the key never left the node");
    }

    [Fact]
    public async Task The_list_tells_names_states_and_what_was_revoked()
    {
        await RunAsync([.. Ca("init"), "--name", "Test"]);
        await IssueAsync("long");
        await IssueAsync("short", "--days", "10");
        await IssueAsync("gone");
        await RunAsync([.. Ca("revoke"), Peer("gone").ToString()]);

        JsonElement[] listed = [.. JsonDocument.Parse((await RunAsync([.. Ca("list"), "-o", "json"])).Output).RootElement.GetProperty("certificates").EnumerateArray()];

        listed.Select(c => (c.GetProperty("name").GetString(), c.GetProperty("state").GetString())).ShouldBe([("long", "valid"), ("short", "expiresSoon"), ("gone", "revoked")]);
        string text = (await RunAsync(Ca("list"))).Output;
        text.ShouldContain("expires soon");
        text.ShouldContain("revoked");
    }

    [Fact]
    public async Task Keys_are_readable_by_their_owner_only_and_refused_otherwise()
    {
        if (OperatingSystem.IsWindows()) Assert.Skip("Windows has no modes of files.");
        await RunAsync([.. Ca("init"), "--intermediate"]);
        await IssueAsync("node");

        foreach (string key in new[] { At("ca/root.key"), At("ca/intermediate.key"), At("node.key") })
            File.GetUnixFileMode(key).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite, key);
        File.SetUnixFileMode(At("ca/intermediate.key"), UnixFileMode.UserRead | UnixFileMode.OtherRead);
        CommandResult refused = await CommandResult.RunAsync([.. Ca("issue"), "other", "--out", _folder]);
        refused.Code.ShouldBe(ExitCode.DataDirectory);
        refused.Error.ShouldContain("chmod 600");
    }

    [Fact]
    public async Task A_certificate_for_a_client_can_only_dial()
    {
        await RunAsync(Ca("init"));
        await IssueAsync("client", "--client");

        using X509Certificate2 issued = X509CertificateLoader.LoadCertificateFromFile(At("client.crt"));
        issued.Extensions.OfType<X509EnhancedKeyUsageExtension>().Single().EnhancedKeyUsages.Cast<Oid>().Select(oid => oid.Value).ShouldBe(["1.3.6.1.5.5.7.3.2"]);
    }

    [Fact]
    public async Task No_authority_is_overwritten_and_no_certificate_either()
    {
        await RunAsync(Ca("init"));
        await IssueAsync("node");
        byte[] key = await File.ReadAllBytesAsync(At("ca/root.key"));

        (await CommandResult.RunAsync(Ca("init"))).Error.ShouldContain("already");
        (await CommandResult.RunAsync([.. Ca("issue"), "node", "--out", _folder])).Error.ShouldContain("already");

        (await File.ReadAllBytesAsync(At("ca/root.key"))).ShouldBe(key);
    }

    [Theory]
    [InlineData("issue", "../evil")]
    [InlineData("issue", "ok", "--dns", "not a name")]
    [InlineData("issue", "ok", "--days", "0")]
    [InlineData("issue", "ok", "--days", "9999")]
    [InlineData("issue", "ok", "--request", "/no/such/file")]
    [InlineData("revoke", "nobody")]
    [InlineData("revoke", "nobody", "--reason", "whim")]
    public async Task A_wrong_request_is_refused_with_one_message(string command, params string[] arguments)
    {
        await RunAsync(Ca("init"));

        CommandResult result = await CommandResult.RunAsync([.. Ca(command), .. arguments]);

        result.Code.ShouldBe(ExitCode.Usage);
        result.Error.ShouldStartWith("mesh: ");
        Directory.GetFiles(_folder).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_request_that_its_key_has_not_signed_is_refused()
    {
        await RunAsync(Ca("init"));
        using var own = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        byte[] forged = new CertificateRequest(new X500DistinguishedName("CN=x"), new PublicKey(own), HashAlgorithmName.SHA256)
            .CreateSigningRequest(X509SignatureGenerator.CreateForECDsa(other));
        await File.WriteAllTextAsync(At("forged.csr"), PemEncoding.WriteString("CERTIFICATE REQUEST", forged));

        CommandResult result = await CommandResult.RunAsync([.. Ca("issue"), "x", "--request", At("forged.csr"), "--out", _folder]);

        result.Code.ShouldBe(ExitCode.Usage);
        File.Exists(At("x.crt")).ShouldBeFalse();
    }

    [Fact]
    public async Task Without_an_authority_the_message_says_how_to_make_one()
    {
        CommandResult result = await CommandResult.RunAsync(Ca("list"));

        result.Code.ShouldBe(ExitCode.Usage);
        result.Error.ShouldContain("mesh ca init");
    }

    [Fact]
    public void A_certificate_is_what_its_dates_and_its_revocation_say()
    {
        DateTimeOffset now = DateTimeOffset.UnixEpoch.AddYears(50);
        var certificate = new IssuedCertificate("01", "n", default, [], now.AddDays(-1), now.AddDays(31));

        certificate.StateAt(now).ShouldBe(CertificateState.Valid);
        certificate.StateAt(now.AddDays(2)).ShouldBe(CertificateState.ExpiresSoon);
        certificate.StateAt(now.AddDays(32)).ShouldBe(CertificateState.Expired);
        (certificate with { RevokedAt = now }).StateAt(now.AddDays(32)).ShouldBe(CertificateState.Revoked);
    }

    private static async Task<CommandResult> RunAsync(params string[] arguments)
    {
        CommandResult result = await CommandResult.RunAsync(arguments);
        result.Code.ShouldBe(ExitCode.Success, result.Error);
        return result;
    }

    private string[] Ca(string command) => ["ca", command, "--ca", At("ca")];

    private Task<CommandResult> IssueAsync(string node, params string[] more) => RunAsync([.. Ca("issue"), node, "--out", _folder, .. more]);

    private PeerId Peer(string node)
    {
        using X509Certificate2 issued = X509CertificateLoader.LoadCertificateFromFile(At(node + ".crt"));
        return PeerId.FromCertificate(issued);
    }

    private Task<TestNode> StartAsync(InMemoryTransportProvider network, string node, bool knowsRevoked = true) => TestNode.StartAsync(network, options =>
    {
        options.Trust.Mode = TrustMode.PrivateAuthority;
        options.Trust.Roots = [At("ca/root.crt")];
        options.Trust.RevocationLists = knowsRevoked ? [At("ca/revoked.crl")] : [];
        options.Trust.DnsName = $"{node}.example.org";
        options.Trust.AllowedNames = [".example.org"];
    }, directory: At("data-" + node));

    private string At(string file) => Path.Combine(_folder, file);
}
