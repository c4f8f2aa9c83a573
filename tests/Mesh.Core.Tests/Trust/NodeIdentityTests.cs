using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EventMesh.Identity;
using EventMesh.Tests.Common.Trust;
using EventMesh.Trust;
using Shouldly;
using Xunit;

namespace EventMesh.Core.Tests.Trust;

/// <summary>Key and certificate in a data directory: made, imported, renewed, rotated.</summary>
public sealed class NodeIdentityTests : IDisposable
{
    private static readonly TimeProvider Clock = TimeProvider.System;

    private readonly TestAuthority _root = TestAuthority.Root();
    private readonly string _directory = Directory.CreateTempSubdirectory("eventmesh-identity-").FullName;

    public void Dispose()
    {
        _root.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public void An_identity_that_is_made_stays_and_its_key_is_private()
    {
        using NodeIdentity made = NodeIdentity.LoadOrCreate(_directory, Clock);
        using NodeIdentity again = NodeIdentity.LoadOrCreate(_directory, Clock);

        again.Peer.ShouldBe(made.Peer);
        again.Node.ShouldBe(made.Node);
        made.KeyAlgorithm.ShouldBe("ecdsa-p256");
        made.Succession.ShouldBeEmpty();
        KeyMode().ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    [Fact]
    public void A_key_that_others_can_read_is_refused()
    {
        NodeIdentity.LoadOrCreate(_directory, Clock).Dispose();
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Windows has no modes of files.");
            return;
        }
        File.SetUnixFileMode(PathOf("identity.key"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);

        MeshException refusal = Should.Throw<MeshException>(() => NodeIdentity.LoadOrCreate(_directory, Clock));

        refusal.Error.ShouldBe(MeshError.DataDirectoryUnusable);
        refusal.Message.ShouldContain("chmod 600");
    }

    [Theory]
    [InlineData("ecdsa-p256")]
    [InlineData("ecdsa-p384")]
    [InlineData("rsa")]
    public void A_certificate_of_an_authority_is_imported_with_its_chain(string algorithm)
    {
        using TestAuthority intermediate = _root.Intermediate();
        (string chain, string key) = Issue(intermediate, Key(algorithm));

        using NodeIdentity imported = NodeIdentity.Import(_directory, chain + "\n" + _root.Certificate.ExportCertificatePem(), key, keepsHistory: true, Clock);
        using NodeIdentity loaded = NodeIdentity.LoadOrCreate(_directory, Clock);

        loaded.Peer.ShouldBe(imported.Peer);
        loaded.KeyAlgorithm.ShouldBe(algorithm);
        loaded.Certificate.HasPrivateKey.ShouldBeTrue();
        loaded.Intermediates.ShouldHaveSingleItem().Subject.ShouldBe("CN=intermediate", "the root is left out");
        loaded.Succession.ShouldBeEmpty("there was no key before");
        KeyMode().ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    [Fact]
    public void A_renewed_certificate_on_the_same_key_is_the_same_peer_and_needs_no_key()
    {
        (string first, string key) = Issue(_root, ECDsa.Create(ECCurve.NamedCurves.nistP256));
        PeerId before = Import(first, key);
        using var again = ECDsa.Create();
        again.ImportFromPem(key);
        (string second, _) = Issue(_root, again);

        Import(second, key: null).ShouldBe(before);

        using NodeIdentity renewed = NodeIdentity.LoadOrCreate(_directory, Clock);
        renewed.Certificate.ExportCertificatePem().ShouldBe(second.TrimEnd());
        renewed.Succession.ShouldBeEmpty();
    }

    [Fact]
    public void An_import_of_another_key_is_a_rotation_unless_the_history_is_given_up()
    {
        using NodeIdentity made = NodeIdentity.LoadOrCreate(_directory, Clock);
        (string chain, string key) = Issue(_root, ECDsa.Create(ECCurve.NamedCurves.nistP384));

        using NodeIdentity imported = NodeIdentity.Import(_directory, chain, key, keepsHistory: true, Clock);
        KeySuccession statement = imported.Succession.ShouldHaveSingleItem();
        statement.Predecessor.ShouldBe(made.Peer);
        statement.Successor.ShouldBe(imported.Peer);
        statement.IsValid().ShouldBeTrue();
        imported.Node.ShouldBe(made.Node, "the log goes on");

        (string other, string otherKey) = Issue(_root, ECDsa.Create(ECCurve.NamedCurves.nistP256));
        using NodeIdentity stranger = NodeIdentity.Import(_directory, other, otherKey, keepsHistory: false, Clock);
        stranger.Succession.ShouldBeEmpty();
    }

    [Fact]
    public void Rotations_make_a_chain_that_both_keys_have_signed()
    {
        using NodeIdentity first = NodeIdentity.LoadOrCreate(_directory, Clock);
        using NodeIdentity second = NodeIdentity.Rotate(_directory, Clock);
        using NodeIdentity third = NodeIdentity.Rotate(_directory, Clock);
        using NodeIdentity loaded = NodeIdentity.LoadOrCreate(_directory, Clock);

        loaded.Peer.ShouldBe(third.Peer);
        loaded.Succession.Select(s => (s.Predecessor, s.Successor, s.Sequence)).ShouldBe([(first.Peer, second.Peer, 1), (second.Peer, third.Peer, 2)]);
        loaded.Succession.ShouldAllBe(s => s.IsValid());
        KeyMode().ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    [Fact]
    public void A_rotation_that_broke_off_before_the_key_was_replaced_never_happened()
    {
        using NodeIdentity first = NodeIdentity.LoadOrCreate(_directory, Clock);
        byte[] key = File.ReadAllBytes(PathOf("identity.key"));
        NodeIdentity.Rotate(_directory, Clock).Dispose();
        // What a crash between the two files leaves: the statement without its key.
        File.WriteAllBytes(PathOf("identity.key"), key);

        using NodeIdentity loaded = NodeIdentity.LoadOrCreate(_directory, Clock);
        loaded.Peer.ShouldBe(first.Peer);
        loaded.Succession.ShouldBeEmpty();

        using NodeIdentity again = NodeIdentity.Rotate(_directory, Clock);
        again.Succession.ShouldHaveSingleItem().Sequence.ShouldBe(1);
    }

    [Fact]
    public void What_can_not_be_used_is_refused_with_a_reason_and_changes_nothing()
    {
        using NodeIdentity made = NodeIdentity.LoadOrCreate(_directory, Clock);
        (string chain, string key) = Issue(_root, ECDsa.Create(ECCurve.NamedCurves.nistP256));
        (_, string otherKey) = Issue(_root, ECDsa.Create(ECCurve.NamedCurves.nistP256));
        (string weak, string weakKey) = Issue(_root, RSA.Create(1024));
        (string expired, string expiredKey) = Issue(_root, ECDsa.Create(ECCurve.NamedCurves.nistP256), Clock.GetUtcNow().AddDays(-1));
        using var encrypting = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        string encrypted = encrypting.ExportEncryptedPkcs8PrivateKeyPem("secret", new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 1000));

        Refused(chain, otherKey).ShouldContain("is not of the key given");
        Refused(chain, key: null).ShouldContain("is not of the node's key");
        Refused(weak, weakKey).ShouldContain("1024");
        Refused(expired, expiredKey).ShouldContain("has expired");
        Refused(chain, encrypted).ShouldContain("encrypted");
        Refused(chain, "nothing").ShouldContain("no private key");
        Refused(key, key).ShouldContain("no certificate");

        using NodeIdentity loaded = NodeIdentity.LoadOrCreate(_directory, Clock);
        loaded.Peer.ShouldBe(made.Peer);
        loaded.Certificate.Thumbprint.ShouldBe(made.Certificate.Thumbprint);
    }

    [Fact]
    public void An_imported_certificate_of_another_key_is_never_replaced_in_silence()
    {
        (string chain, string key) = Issue(_root, ECDsa.Create(ECCurve.NamedCurves.nistP256));
        Import(chain, key);
        (string other, _) = Issue(_root, ECDsa.Create(ECCurve.NamedCurves.nistP256));
        File.WriteAllText(PathOf("identity.crt"), other);

        Should.Throw<MeshException>(() => NodeIdentity.LoadOrCreate(_directory, Clock)).Message.ShouldContain("is not of the key");
        File.ReadAllText(PathOf("identity.crt")).ShouldBe(other);
    }

    private static AsymmetricAlgorithm Key(string algorithm) => algorithm switch
    {
        "rsa" => RSA.Create(2048),
        "ecdsa-p384" => ECDsa.Create(ECCurve.NamedCurves.nistP384),
        _ => ECDsa.Create(ECCurve.NamedCurves.nistP256),
    };

    private static (string Chain, string Key) Issue(TestAuthority authority, AsymmetricAlgorithm key, DateTimeOffset? notAfter = null)
    {
        string pem = key.ExportPkcs8PrivateKeyPem();
        using X509Certificate2 own = authority.Issue(shape: new() { Key = key, NotBefore = notAfter?.AddDays(-1), NotAfter = notAfter });
        return (string.Join('\n', authority.Intermediates.Prepend(own).Select(one => one.ExportCertificatePem())) + "\n", pem);
    }

    private PeerId Import(string chain, string? key)
    {
        using NodeIdentity imported = NodeIdentity.Import(_directory, chain, key, keepsHistory: true, Clock);
        return imported.Peer;
    }

    private string Refused(string chain, string? key)
    {
        MeshException refusal = Should.Throw<MeshException>(() => Import(chain, key));
        refusal.Error.ShouldBe(MeshError.InvalidConfiguration);
        return refusal.Message;
    }

    private UnixFileMode KeyMode() =>
        OperatingSystem.IsWindows() ? UnixFileMode.UserRead | UnixFileMode.UserWrite : File.GetUnixFileMode(PathOf("identity.key"));

    private string PathOf(string file) => Path.Combine(_directory, file);
}
