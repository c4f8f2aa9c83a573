using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Projections;
using EventMesh.Trust;
using EventMesh.Trust.Internal;
using Shouldly;
using Xunit;

namespace EventMesh.Core.Tests.Trust;

/// <summary>What the log tells of a certificate, compared with what the platform says of it.</summary>
public sealed class CertificateLabelTests
{
    [Theory]
    [InlineData("CN=node", 2030)]
    [InlineData("CN=last of the short years", 2049)]
    [InlineData("CN=first of the long years", 2050)]
    [InlineData("CN=Ünïcode, O=\"quoted, with comma\", C=CH", 2031)]
    [InlineData("CN=a + OU=b, DC=example, DC=org, E=x@example.org", 2032)]
    [InlineData("", 2033)]
    public void Subject_and_end_are_those_of_the_platform(string subject, int year)
    {
        using X509Certificate2 certificate = Make(subject, new DateTimeOffset(year, 12, 31, 23, 59, 59, TimeSpan.Zero));

        CertificateLabel label = CertificateLabel.TryRead(certificate.RawDataMemory).ShouldNotBeNull();

        label.Subject.ShouldBe(certificate.Subject);
        label.NotAfter.ShouldBe(new DateTimeOffset(certificate.NotAfter));
        label.NotAfter.Offset.ShouldBe(TimeSpan.Zero);
    }

    [Fact]
    public void What_is_no_certificate_has_no_label()
    {
        using X509Certificate2 certificate = Make("CN=node", new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));
        byte[] der = certificate.RawData;

        CertificateLabel.TryRead(ReadOnlyMemory<byte>.Empty).ShouldBeNull();
        CertificateLabel.TryRead(der.AsMemory(0, der.Length / 2)).ShouldBeNull();
        CertificateLabel.TryRead(new byte[] { 0x30, 0x03, 0x02, 0x01, 0x00 }).ShouldBeNull();
    }

    [Fact]
    public void A_certificate_that_cannot_be_read_is_recorded_with_its_key_all_the_same()
    {
        PeerId peer = PeerId.FromPublicKey("key"u8);

        CertificateAcceptedOf(peer, new byte[] { 1, 2, 3 }).Subject.ShouldBe("(unreadable)");
    }

    [Fact]
    public void A_long_subject_is_cut()
    {
        using X509Certificate2 certificate = Make($"CN={new string('x', 400)}", new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));

        CertificateAcceptedOf(PeerId.FromCertificate(certificate), certificate.RawDataMemory).Subject.Length.ShouldBe(256);
    }

    private static CertificateAccepted CertificateAcceptedOf(PeerId peer, ReadOnlyMemory<byte> certificate) =>
        TrustGate.OnAccepted(MeshState.Empty, peer, certificate, TrustMode.Encrypted).ShouldHaveSingleItem().ShouldBeOfType<CertificateAccepted>();

    private static X509Certificate2 Make(string subject, DateTimeOffset notAfter)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return new CertificateRequest(subject, key, HashAlgorithmName.SHA256).CreateSelfSigned(new DateTimeOffset(2020, 1, 1, 0, 0, 0, TimeSpan.Zero), notAfter);
    }
}
