using Microsoft.Extensions.Logging;

namespace EventMesh.Transport.Ngtcp2.Internal;

/// <summary>The log of this provider. What a peer can cause at will is counted, not logged.</summary>
internal sealed partial class NgtcpLog(ILogger logger)
{
    private readonly ILogger _logger = logger;

    [LoggerMessage(EventId = 7001, EventName = "QuicLoopFailed", Level = LogLevel.Error, Message = "The QUIC endpoint has stopped: its loop failed.")]
    public partial void LoopFailed(Exception exception);

    [LoggerMessage(EventId = 7002, EventName = "QuicCallbackFailed", Level = LogLevel.Error, Message = "A QUIC connection ended because of an error in its handling.")]
    public partial void CallbackFailed(Exception exception);

    [LoggerMessage(EventId = 7003, EventName = "QuicEndpointBound", Level = LogLevel.Debug, Message = "QUIC by ngtcp2 is bound to {LocalEndPoint}; segmentation offload {SegmentationOffload}, receive offload {ReceiveOffload}.")]
    public partial void EndpointBound(System.Net.IPEndPoint localEndPoint, bool segmentationOffload, bool receiveOffload);
}
