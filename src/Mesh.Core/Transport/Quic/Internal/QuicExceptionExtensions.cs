using System.Net.Quic;
using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Security.Authentication;

namespace EventMesh.Transport.Quic.Internal;

/// <summary>The one place where the exceptions of System.Net.Quic become ours.</summary>
[SupportedOSPlatform("linux")]
[SupportedOSPlatform("macos")]
[SupportedOSPlatform("windows")]
internal static class QuicExceptionExtensions
{
    // RFC 9000 20.1; TLS alerts are 0x100 plus the alert (RFC 9001 4.8).
    private const long ConnectionRefused = 0x02;
    private const long FirstTlsAlert = 0x100;
    private const long LastTlsAlert = 0x1ff;
    private const long NoApplicationProtocol = 0x100 + 120;

    /// <summary>What failed on a connection that stands, on a stream, or while binding.</summary>
    public static MeshException ToMeshException(this Exception exception) => exception as MeshException ?? Translate(exception, isDial: false);

    /// <summary>What failed while dialling.</summary>
    public static MeshException ToDialException(this Exception exception) => exception as MeshException ?? Translate(exception, isDial: true);

    /// <summary>Why a connection ended.</summary>
    public static TransportCloseInfo ToCloseInfo(this Exception exception)
    {
        MeshException translated = exception.ToMeshException();
        // Nothing that ends a connection is without a name in the contract: what is left broke it.
        MeshError error = translated.Error is MeshError.Unknown or MeshError.Unreachable or MeshError.AddressNotAvailable
            ? MeshError.ConnectionLost : translated.Error;
        return new TransportCloseInfo(error, translated.RemoteCode, translated.Message);
    }

    private static MeshException Translate(Exception exception, bool isDial) => exception switch
    {
        QuicException quic => Translate(quic, isDial),
        AuthenticationException authentication => IsAlpnFailure(authentication)
            ? new MeshException(MeshError.ProtocolMismatch, "The peer does not speak our application protocol (ALPN).", authentication)
            : new MeshException(MeshError.CertificateRefused, $"A certificate was refused in the handshake: {authentication.Message}", authentication),
        SocketException socket => new MeshException(Translate(socket.SocketErrorCode), socket.Message, socket),
        ObjectDisposedException => new MeshException(MeshError.Aborted, "The connection or stream was disposed.", exception),
        _ => new MeshException(MeshError.Unknown, exception.Message, exception),
    };

    private static MeshException Translate(QuicException exception, bool isDial)
    {
        ulong? code = exception.ApplicationErrorCode is { } number ? (ulong)number : null;
        return exception.QuicError switch
        {
            QuicError.ConnectionAborted => new MeshException(MeshError.ClosedByPeer, $"The peer closed the connection with code {code}.", exception) { RemoteCode = code },
            QuicError.StreamAborted => new MeshException(MeshError.ClosedByPeer, $"The peer aborted the stream with code {code}.", exception) { RemoteCode = code },
            QuicError.ConnectionRefused => new MeshException(MeshError.ClosedByPeer, "The peer refused the connection (CONNECTION_REFUSED).", exception),
            QuicError.OperationAborted => new MeshException(MeshError.Aborted, "The operation was aborted on this side.", exception),
            QuicError.ConnectionIdle => new MeshException(isDial ? MeshError.Unreachable : MeshError.IdleTimeout, exception.Message, exception),
            QuicError.ConnectionTimeout => new MeshException(isDial ? MeshError.Unreachable : MeshError.ConnectionLost, exception.Message, exception),
            QuicError.VersionNegotiationError => new MeshException(MeshError.ProtocolMismatch, "The peer does not speak QUIC version 1.", exception),
            QuicError.AlpnInUse => new MeshException(MeshError.AddressInUse, "Another endpoint of this process listens there.", exception),
            // Our verification threw, which is a refusal.
            QuicError.CallbackError => new MeshException(MeshError.CertificateRefused, exception.Message, exception),
            QuicError.TransportError => TranslateTransport(exception),
            _ when exception.InnerException is SocketException socket => new MeshException(Translate(socket.SocketErrorCode), exception.Message, exception),
            _ => new MeshException(MeshError.Unknown, exception.Message, exception),
        };
    }

    private static MeshException TranslateTransport(QuicException exception) => exception.TransportErrorCode switch
    {
        NoApplicationProtocol => new MeshException(MeshError.ProtocolMismatch, "The peer does not speak our application protocol (ALPN).", exception),
        >= FirstTlsAlert and <= LastTlsAlert => new MeshException(MeshError.CertificateRefused, $"The peer ended the handshake: {exception.Message}", exception),
        ConnectionRefused => new MeshException(MeshError.ClosedByPeer, "The peer refused the connection (CONNECTION_REFUSED).", exception),
        _ => new MeshException(MeshError.ProtocolViolation, exception.Message, exception),
    };

    private static MeshError Translate(SocketError error) => error switch
    {
        SocketError.AddressAlreadyInUse => MeshError.AddressInUse,
        SocketError.AddressNotAvailable or SocketError.AddressFamilyNotSupported or SocketError.NetworkDown => MeshError.AddressNotAvailable,
        // Ports below 1024 and such: nothing else of binding can be denied.
        SocketError.AccessDenied => MeshError.AddressNotAvailable,
        SocketError.HostUnreachable or SocketError.NetworkUnreachable or SocketError.ConnectionRefused or SocketError.TimedOut => MeshError.Unreachable,
        _ => MeshError.Unknown,
    };

    /// <summary>
    /// The runtime tells a failed ALPN only by the status in HResult: QUIC_STATUS_ALPN_NEG_FAILURE, which is ENOPROTOOPT on Linux and
    /// macOS, or the TLS alert no_application_protocol counted from QUIC_STATUS_CLOSE_NOTIFY.
    /// </summary>
    private static bool IsAlpnFailure(AuthenticationException exception)
    {
        const int WindowsStatus = unchecked((int)0x80410007);
        const int WindowsAlert = unchecked((int)0x80410100) + 120;
        const int LinuxStatus = 92;
        const int MacStatus = 42;
        const int UnixAlert = 200_000_000 + 0x100 + 120;
        return OperatingSystem.IsWindows() ? exception.HResult is WindowsStatus or WindowsAlert
            : exception.HResult == UnixAlert || exception.HResult == (OperatingSystem.IsMacOS() ? MacStatus : LinuxStatus);
    }
}
