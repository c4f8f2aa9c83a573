using System.Net;
using System.Runtime.InteropServices;
using EventMesh.Transport.Ngtcp2.Interop;

namespace EventMesh.Transport.Ngtcp2.Internal;

/// <summary>What the connection knows about its handshake when ngtcp2 ends it.</summary>
internal readonly record struct HandshakeView(bool IsEstablished, bool RefusedByUs, bool WasReset, IPEndPoint Remote);

/// <summary>The one place where ngtcp2's error numbers and QUIC's codes become <see cref="MeshError"/>.</summary>
/// <param name="Failure">What calls on the connection fail with.</param>
/// <param name="Info">What <see cref="ITransportConnection.Closed"/> says.</param>
/// <param name="SendsClose">Whether the peer has to be told, with <paramref name="Close"/>.</param>
/// <param name="Drains">Whether the peer closed, so that its late packets are swallowed for a while.</param>
/// <param name="Close">The frame to send.</param>
internal readonly record struct CloseReason(Failure Failure, TransportCloseInfo Info, bool SendsClose, bool Drains, ngtcp2_ccerr Close)
{
    private const int AlertNoApplicationProtocol = 120;
    private const int AlertCertificateRequired = 116;
    private const int AlertHandshakeFailure = 40;

    // RFC 8446 6.2: bad_certificate to certificate_unknown, unknown_ca, access_denied, decrypt_error (a signature that does not fit
    // the certificate), certificate_required; handshake_failure when the certificate's key may not sign.
    private static bool IsAboutCertificate(int alert) =>
        alert is (>= 42 and <= 46) or 48 or 49 or 51 or AlertCertificateRequired or AlertHandshakeFailure;

    public static unsafe CloseReason FromLibrary(ConnectionHandle handle, int error, in HandshakeView view)
    {
        switch (error)
        {
            case Native.NGTCP2_ERR_DRAINING when view.WasReset:
                return Silent(MeshError.ConnectionLost, $"{view.Remote} no longer knows the connection (stateless reset).") with { Drains = true };
            case Native.NGTCP2_ERR_DRAINING:
                return FromPeer(handle.PeerClose);
            case Native.NGTCP2_ERR_IDLE_CLOSE when view.IsEstablished:
                return Silent(MeshError.IdleTimeout, "Nothing was heard of the peer within the idle timeout.");
            case Native.NGTCP2_ERR_IDLE_CLOSE or Native.NGTCP2_ERR_HANDSHAKE_TIMEOUT:
                return Silent(MeshError.Unreachable, $"{view.Remote} did not complete a handshake in time.");
            case Native.NGTCP2_ERR_RECV_VERSION_NEGOTIATION:
                return Silent(MeshError.ProtocolMismatch, $"{view.Remote} does not speak QUIC version 1.");
            case Native.NGTCP2_ERR_DROP_CONN or Native.NGTCP2_ERR_RETRY or Native.NGTCP2_ERR_CLOSING when !view.IsEstablished:
                return Silent(MeshError.Unreachable, $"The handshake with {view.Remote} ended without an answer: {Native.DescribeNgtcp2Error(error)}.");
            case Native.NGTCP2_ERR_DROP_CONN or Native.NGTCP2_ERR_RETRY or Native.NGTCP2_ERR_CLOSING:
                return Silent(MeshError.ConnectionLost, $"The connection was dropped: {Native.DescribeNgtcp2Error(error)}.");
            case Native.NGTCP2_ERR_CRYPTO:
                return FromAlert(handle.TlsAlert, view);
            default:
                return FromLibraryError(error, view);
        }
    }

    /// <summary>A TLS alert that we send.</summary>
    private static unsafe CloseReason FromAlert(int alert, in HandshakeView view)
    {
        ngtcp2_ccerr close;
        Native.ngtcp2_ccerr_default(&close);
        Native.ngtcp2_ccerr_set_tls_alert(&close, (byte)alert, null, 0);
        string name = Native.DescribeAlert(alert);
        if (view.RefusedByUs)
            return Loud(MeshError.CertificateRefused, $"The certificate of {view.Remote} was refused on this side; alert {name} sent.", close);
        if (alert == AlertNoApplicationProtocol)
            return Loud(MeshError.ProtocolMismatch, $"{view.Remote} speaks another application protocol; alert {name} sent.", close);
        // Before the verification only the peer's certificate and its signature can fail: it is missing, forged or of the wrong kind.
        return Loud(
            view.IsEstablished ? MeshError.ProtocolViolation : MeshError.CertificateRefused,
            $"The TLS handshake with {view.Remote} failed; alert {name} sent.",
            close);
    }

    private static unsafe CloseReason FromLibraryError(int error, in HandshakeView view)
    {
        ngtcp2_ccerr close;
        Native.ngtcp2_ccerr_default(&close);
        Native.ngtcp2_ccerr_set_liberr(&close, error, null, 0);
        string text = Native.DescribeNgtcp2Error(error);
        if (error != Native.NGTCP2_ERR_CALLBACK_FAILURE)
            return Loud(MeshError.ProtocolViolation, $"QUIC with {view.Remote} failed: {text}.", close);
        // Without an alert: no application protocol named, or a certificate that GnuTLS finds unfit for signing.
        return view.IsEstablished
            ? Loud(MeshError.ConnectionLost, $"The connection with {view.Remote} failed on this side: {text}.", close)
            : Loud(MeshError.CertificateRefused, $"The TLS handshake with {view.Remote} failed without an alert: its certificate can't be used for signatures, or it names no application protocol.", close);
    }

    private static unsafe CloseReason FromPeer(ngtcp2_ccerr* close)
    {
        ulong code = close->error_code;
        string text = close->reasonlen > 0 ? $" \"{Printable(close)}\"" : string.Empty;
        if (close->type == Native.NGTCP2_CCERR_TYPE_APPLICATION)
            return Drained(MeshError.ClosedByPeer, code, code, $"The peer closed the connection with code {code}{text}.");
        if (code is >= Native.NGTCP2_CRYPTO_ERROR and <= Native.NGTCP2_CRYPTO_ERROR + 0xff)
        {
            int alert = (int)(code - Native.NGTCP2_CRYPTO_ERROR);
            MeshError error = IsAboutCertificate(alert) ? MeshError.CertificateRefused
                : alert == AlertNoApplicationProtocol ? MeshError.ProtocolMismatch
                : MeshError.ProtocolViolation;
            string hint = alert == AlertHandshakeFailure ? " Its certificate or ours can't be used for signatures, or no cipher is shared." : string.Empty;
            return Drained(error, code, null, $"The peer ended the TLS handshake with alert {Native.DescribeAlert(alert)}.{hint}");
        }
        return code switch
        {
            Native.NGTCP2_NO_ERROR or Native.NGTCP2_APPLICATION_ERROR => Drained(MeshError.ClosedByPeer, code, null, $"The peer closed the connection{text}."),
            Native.NGTCP2_CONNECTION_REFUSED => Drained(MeshError.ClosedByPeer, code, null, "The peer refused the connection: it has too many, or does not admit this address."),
            Native.NGTCP2_INVALID_TOKEN => Drained(MeshError.ClosedByPeer, code, null, "The peer refused the token of its own Retry."),
            Native.NGTCP2_INTERNAL_ERROR => Drained(MeshError.ConnectionLost, code, null, $"The peer's transport failed{text}."),
            _ => Drained(MeshError.ProtocolViolation, code, null, $"The peer's transport closed the connection with code 0x{code:x}{text}."),
        };
    }

    /// <summary>The peer's words, made harmless for a log.</summary>
    private static unsafe string Printable(ngtcp2_ccerr* close)
    {
        string text = Marshal.PtrToStringUTF8((nint)close->reason, (int)nuint.Min(close->reasonlen, 100));
        return string.Create(text.Length, text, static (target, source) =>
        {
            for (int i = 0; i < target.Length; i++)
                target[i] = char.IsControl(source[i]) ? '?' : source[i];
        });
    }

    private static CloseReason Silent(MeshError error, string message) =>
        new(new Failure(error, message), new TransportCloseInfo(error, null, message), SendsClose: false, Drains: false, default);

    private static CloseReason Drained(MeshError error, ulong remoteCode, ulong? applicationCode, string message) =>
        new(new Failure(error, message, remoteCode), new TransportCloseInfo(error, applicationCode, message), SendsClose: false, Drains: true, default);

    private static CloseReason Loud(MeshError error, string message, in ngtcp2_ccerr close) =>
        new(new Failure(error, message), new TransportCloseInfo(error, null, message), SendsClose: true, Drains: false, close);
}
