using System.Diagnostics.Metrics;

namespace EventMesh.Diagnostics;

/// <summary>The instruments of the node; docs/telemetry.md lists them.</summary>
internal static class MeshMetrics
{
    /// <summary>The buckets that the semantic conventions advise for messaging durations, seconds.</summary>
    public static InstrumentAdvice<double> DurationAdvice { get; } = new()
    {
        HistogramBucketBoundaries = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10],
    };

    public static UpDownCounter<int> ActiveSessions { get; } =
        MeshTelemetry.Meter.CreateUpDownCounter<int>("eventmesh.session.active", "{session}", "Joined peers.");

    public static Histogram<double> HandshakeDuration { get; } =
        MeshTelemetry.Meter.CreateHistogram("eventmesh.handshake.duration", "s", "From the dial to both sides' acceptance.", advice: DurationAdvice);

    public static Counter<long> DialFailures { get; } =
        MeshTelemetry.Meter.CreateCounter<long>("eventmesh.dial.failures", "{dial}", "Dials that came to nothing, by error.type.");

    public static Counter<long> InboundRefusals { get; } =
        MeshTelemetry.Meter.CreateCounter<long>("eventmesh.inbound.refusals", "{connection}", "Inbound connections refused, by error.type.");

    public static Counter<long> MessagesSent { get; } =
        MeshTelemetry.Meter.CreateCounter<long>("messaging.client.sent.messages", "{message}", "Messages sent.");

    public static Counter<long> MessagesConsumed { get; } =
        MeshTelemetry.Meter.CreateCounter<long>("messaging.client.consumed.messages", "{message}", "Messages received.");

    public static Histogram<double> OperationDuration { get; } =
        MeshTelemetry.Meter.CreateHistogram("messaging.client.operation.duration", "s", "From send to its outcome.", advice: DurationAdvice);

    public static Counter<long> DeadLetters { get; } =
        MeshTelemetry.Meter.CreateCounter<long>("eventmesh.message.dead_letters", "{message}", "Received messages that no handler took, by error.type.");

    public static Counter<long> TrimmedPeers { get; } =
        MeshTelemetry.Meter.CreateCounter<long>("eventmesh.session.trimmed", "{session}", "Peers closed because there were more than the high watermark.");

    public static Counter<long> ProtocolViolations { get; } =
        MeshTelemetry.Meter.CreateCounter<long>("eventmesh.protocol.violations", "{violation}", "Frames and streams that the protocol does not allow.");

    public static Counter<long> Offences { get; } =
        MeshTelemetry.Meter.CreateCounter<long>("eventmesh.abuse.offences", "{offence}", "What peers did against the rules, by error.type.");

    public static Counter<long> Throttled { get; } =
        MeshTelemetry.Meter.CreateCounter<long>("eventmesh.message.throttled", "{message}", "Received messages and requests that made their peer wait.");
}
