using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using CsCheck;
using EventMesh.Identity;
using Shouldly;
using Xunit;

namespace EventMesh.Abstractions.Tests.Identity;

public sealed class PeerIdTests
{
    [Fact]
    public void Its_text_is_52_characters_of_lower_case_base32() =>
        // The SHA-256 of nothing, e3b0c442...: RFC 4648 6 without padding.
        PeerId.FromPublicKey([]).ToString().ShouldBe("4oymiquy7qobjgx36tejs35zeqt24qpemsnzgtfeswmrw6csxbkq");

    [Fact]
    public void Every_identity_survives_its_text_and_its_json() => Gen.Byte.Array[PeerId.Length].Sample(bytes =>
    {
        var id = new PeerId(bytes);
        return PeerId.Parse(id.ToString()) == id && id.ToByteArray().AsSpan().SequenceEqual(bytes)
            && JsonSerializer.Deserialize<PeerId>(JsonSerializer.Serialize(id)) == id;
    });

    [Fact]
    public void The_order_is_that_of_unsigned_big_endian_numbers() =>
        Gen.Select(Gen.Byte.Array[PeerId.Length], Gen.Byte.Array[PeerId.Length]).Sample((one, other) =>
            Math.Sign(new PeerId(one).CompareTo(new PeerId(other))) == Math.Sign(one.AsSpan().SequenceCompareTo(other)));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("4oymiquy")]
    [InlineData("4oymiquy7qobjgx36tejs35zeqt24qpemsnzgtfeswmrw6csxbk1")]
    // The same bits but a set padding bit: two texts must not name one identity.
    [InlineData("4oymiquy7qobjgx36tejs35zeqt24qpemsnzgtfeswmrw6csxbkr")]
    public void A_malformed_text_is_refused(string? text) => PeerId.TryParse(text, out _).ShouldBeFalse();

    [Fact]
    public void A_renewed_certificate_on_the_same_key_is_the_same_peer()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

        PeerId.FromCertificate(Certificate(key, days: 1)).ShouldBe(PeerId.FromCertificate(Certificate(key, days: 2)));
    }

    [Fact]
    public void Another_key_is_another_peer()
    {
        using ECDsa one = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using ECDsa other = ECDsa.Create(ECCurve.NamedCurves.nistP256);

        PeerId.FromCertificate(Certificate(one, days: 1)).ShouldNotBe(PeerId.FromCertificate(Certificate(other, days: 1)));
    }

    [Fact]
    public void Only_32_bytes_make_an_identity() => Should.Throw<ArgumentException>(() => new PeerId(new byte[31]));

    private static X509Certificate2 Certificate(ECDsa key, int days)
    {
        DateTimeOffset now = DateTimeOffset.UtcNow;
        return new CertificateRequest("CN=peer", key, HashAlgorithmName.SHA256).CreateSelfSigned(now, now.AddDays(days));
    }
}
