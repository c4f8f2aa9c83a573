using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace EventMesh.Diagnostics;

/// <summary>The names of EventMesh's telemetry: API, documented in docs/telemetry.md.</summary>
public static class MeshTelemetry
{
    /// <summary>The name of the activity source and of the meter.</summary>
    public const string SourceName = "EventMesh";

    /// <summary>The OpenTelemetry semantic conventions that names and attributes follow.</summary>
    public const string SchemaUrl = "https://opentelemetry.io/schemas/1.37.0";

    /// <summary>The version of the telemetry, the assembly's.</summary>
    public static string Version { get; } = typeof(MeshTelemetry).Assembly.GetName().Version?.ToString(3) ?? "0.0.0";

    internal static ActivitySource Source { get; } = new(new ActivitySourceOptions(SourceName) { Version = Version, TelemetrySchemaUrl = SchemaUrl });

    internal static Meter Meter { get; } = new(new MeterOptions(SourceName) { Version = Version, TelemetrySchemaUrl = SchemaUrl });

    /// <summary>The keys of attributes.</summary>
    public static class Attributes
    {
        /// <summary><c>messaging.system</c>: always <c>eventmesh</c>.</summary>
        public const string MessagingSystem = "messaging.system";

        /// <summary><c>messaging.operation.name</c>.</summary>
        public const string OperationName = "messaging.operation.name";

        /// <summary><c>messaging.operation.type</c>: create, send, receive, process, settle.</summary>
        public const string OperationType = "messaging.operation.type";

        /// <summary><c>messaging.destination.name</c>: the channel or topic.</summary>
        public const string Destination = "messaging.destination.name";

        /// <summary><c>messaging.message.id</c>.</summary>
        public const string MessageId = "messaging.message.id";

        /// <summary><c>network.transport</c>: always <c>quic</c>.</summary>
        public const string NetworkTransport = "network.transport";

        /// <summary><c>network.peer.address</c>.</summary>
        public const string PeerAddress = "network.peer.address";

        /// <summary><c>error.type</c>: the <see cref="MeshError"/>.</summary>
        public const string ErrorType = "error.type";

        /// <summary><c>eventmesh.peer</c>: the short identity of the peer.</summary>
        public const string Peer = "eventmesh.peer";

        /// <summary><c>eventmesh.plugin</c>: the name of the plugin.</summary>
        public const string Plugin = "eventmesh.plugin";
    }
}
