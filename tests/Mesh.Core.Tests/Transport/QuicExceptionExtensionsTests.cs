using System.Net.Quic;
using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Security.Authentication;
using EventMesh.Transport;
using EventMesh.Transport.Quic.Internal;
using Shouldly;
using Xunit;

namespace EventMesh.Core.Tests.Transport;

[SupportedOSPlatform("linux")]
[SupportedOSPlatform("macos")]
[SupportedOSPlatform("windows")]
public sealed class QuicExceptionExtensionsTests
{
    [Theory]
    [InlineData(QuicError.ConnectionAborted, MeshError.ClosedByPeer)]
    [InlineData(QuicError.StreamAborted, MeshError.ClosedByPeer)]
    [InlineData(QuicError.ConnectionRefused, MeshError.ClosedByPeer)]
    [InlineData(QuicError.OperationAborted, MeshError.Aborted)]
    [InlineData(QuicError.ConnectionIdle, MeshError.IdleTimeout)]
    [InlineData(QuicError.ConnectionTimeout, MeshError.ConnectionLost)]
    [InlineData(QuicError.VersionNegotiationError, MeshError.ProtocolMismatch)]
    [InlineData(QuicError.AlpnInUse, MeshError.AddressInUse)]
    [InlineData(QuicError.CallbackError, MeshError.CertificateRefused)]
    [InlineData(QuicError.InternalError, MeshError.Unknown)]
    public void Each_error_of_the_runtime_has_its_name(QuicError error, MeshError expected) =>
        new QuicException(error, null, "x").ToMeshException().Error.ShouldBe(expected);

    [Theory]
    [InlineData(QuicError.ConnectionAborted)]
    [InlineData(QuicError.StreamAborted)]
    public void Code_of_the_peer_is_kept(QuicError error) =>
        new QuicException(error, 42, "x").ToMeshException().RemoteCode.ShouldBe(42UL);

    [Theory]
    [InlineData(QuicError.ConnectionIdle)]
    [InlineData(QuicError.ConnectionTimeout)]
    public void Time_out_of_a_dial_is_unreachable(QuicError error) =>
        new QuicException(error, null, "x").ToDialException().Error.ShouldBe(MeshError.Unreachable);

    [Theory]
    [InlineData(SocketError.AddressAlreadyInUse, MeshError.AddressInUse)]
    [InlineData(SocketError.AddressNotAvailable, MeshError.AddressNotAvailable)]
    [InlineData(SocketError.AddressFamilyNotSupported, MeshError.AddressNotAvailable)]
    [InlineData(SocketError.HostUnreachable, MeshError.Unreachable)]
    public void Errors_of_the_socket_have_their_names(SocketError error, MeshError expected) =>
        new SocketException((int)error).ToMeshException().Error.ShouldBe(expected);

    [Fact]
    public void Failed_ALPN_is_told_from_a_refused_certificate()
    {
        var alpn = new AuthenticationException("alpn")
        {
            HResult = OperatingSystem.IsWindows() ? unchecked((int)0x80410007) : OperatingSystem.IsMacOS() ? 42 : 92,
        };

        alpn.ToDialException().Error.ShouldBe(MeshError.ProtocolMismatch);
        new AuthenticationException("certificate").ToDialException().Error.ShouldBe(MeshError.CertificateRefused);
    }

    [Fact]
    public void End_of_a_connection_is_never_unnamed()
    {
        TransportCloseInfo info = new QuicException(QuicError.InternalError, null, "broken").ToCloseInfo();

        info.Error.ShouldBe(MeshError.ConnectionLost);
        info.ApplicationCode.ShouldBeNull();
        new QuicException(QuicError.ConnectionAborted, 7, "closed").ToCloseInfo().ApplicationCode.ShouldBe(7UL);
    }
}
