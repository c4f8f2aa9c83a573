using System.Net;
using Microsoft.Extensions.Logging;

namespace EventMesh.Transport.Quic.Internal;

internal static partial class Log
{
    // A stranger can cause it at will, hence Debug.
    [LoggerMessage(EventId = 1101, EventName = "InboundHandshakeFailed", Level = LogLevel.Debug,
        Message = "A handshake on {LocalEndPoint} failed: {Reason}")]
    public static partial void InboundHandshakeFailed(ILogger logger, IPEndPoint localEndPoint, string reason);

    [LoggerMessage(EventId = 1102, EventName = "PeerVerificationThrew", Level = LogLevel.Error,
        Message = "The verification of a peer threw an exception, which counts as a refusal")]
    public static partial void PeerVerificationThrew(ILogger logger, Exception exception);
}
