namespace EventMesh.Host.Errors;

/// <summary>The one place that maps <see cref="MeshError"/> to exit codes, HTTP status and problem types.</summary>
internal static class ErrorCatalog
{
    /// <summary>The entry of an error; every member of <see cref="MeshError"/> has one.</summary>
    public static ErrorEntry Get(MeshError error) => error switch
    {
        MeshError.Unknown => new("unknown", ExitCode.Failure, 500, "Unexpected failure"),
        MeshError.InvalidConfiguration => new("invalid-configuration", ExitCode.Usage, 400, "A value is missing, malformed or out of range"),
        MeshError.AddressInUse => new("address-in-use", ExitCode.AddressUnavailable, 409, "The UDP address is in use"),
        MeshError.AddressNotAvailable => new("address-not-available", ExitCode.AddressUnavailable, 409, "The address is not of this machine"),
        MeshError.TransportUnavailable => new("transport-unavailable", ExitCode.TransportUnavailable, 503, "No QUIC transport works here"),
        MeshError.DataDirectoryLocked => new("data-directory-locked", ExitCode.DataDirectory, 409, "The data directory is in use"),
        MeshError.DataDirectoryUnusable => new("data-directory-unusable", ExitCode.DataDirectory, 500, "The data directory can't be used"),
        MeshError.StoreUnavailable => new("store-unavailable", ExitCode.Store, 503, "The event store can't be reached"),
        MeshError.EpochLost => new("epoch-lost", ExitCode.TakenOver, 409, "Another process took over the node's log"),
        MeshError.StoreIncompatible => new("store-incompatible", ExitCode.Store, 500, "The event store's schema is not understood"),
        MeshError.ConcurrencyConflict => new("concurrency-conflict", ExitCode.Store, 409, "Somebody else appended first"),
        MeshError.PluginUnusable => new("plugin-unusable", ExitCode.Plugin, 500, "A plugin can't be loaded"),
        MeshError.Unreachable => new("unreachable", ExitCode.PeerUnreachable, 504, "Nobody answered"),
        MeshError.CertificateRefused => new("certificate-refused", ExitCode.PeerUnreachable, 502, "A certificate was refused"),
        MeshError.WrongPeer => new("wrong-peer", ExitCode.PeerUnreachable, 502, "Another peer answered"),
        MeshError.ProtocolMismatch => new("protocol-mismatch", ExitCode.PeerUnreachable, 502, "The peer does not speak eventmesh/1"),
        MeshError.WrongMesh => new("wrong-mesh", ExitCode.PeerUnreachable, 502, "The peer belongs to another mesh"),
        MeshError.ConnectionToSelf => new("connection-to-self", ExitCode.PeerUnreachable, 409, "The address is this node itself"),
        MeshError.DuplicateIdentity => new("duplicate-identity", ExitCode.PeerUnreachable, 409, "Another process has the identity"),
        MeshError.AlreadyConnected => new("already-connected", ExitCode.PeerUnreachable, 409, "The peer is connected already"),
        MeshError.ReverseCheckFailed => new("reverse-check-failed", ExitCode.PeerUnreachable, 502, "A node can't be dialled back"),
        MeshError.TooManyConnections => new("too-many-connections", ExitCode.PeerUnreachable, 503, "A limit on connections was reached"),
        MeshError.ProtocolViolation => new("protocol-violation", ExitCode.PeerUnreachable, 502, "The peer broke the protocol"),
        MeshError.NotConnected => new("not-connected", ExitCode.NotDelivered, 404, "The peer is not joined"),
        MeshError.ConnectionLost => new("connection-lost", ExitCode.NotDelivered, 502, "The connection was lost"),
        MeshError.IdleTimeout => new("idle-timeout", ExitCode.NotDelivered, 504, "The connection was silent for too long"),
        MeshError.ClosedByPeer => new("closed-by-peer", ExitCode.NotDelivered, 502, "The peer closed the connection"),
        MeshError.Aborted => new("aborted", ExitCode.NotDelivered, 500, "The operation was aborted"),
        MeshError.Timeout => new("timeout", ExitCode.NotDelivered, 504, "The time limit was reached"),
        MeshError.TooLarge => new("too-large", ExitCode.NotDelivered, 413, "The message is larger than allowed"),
        MeshError.QueueFull => new("queue-full", ExitCode.NotDelivered, 503, "A queue is full"),
        MeshError.NoHandler => new("no-handler", ExitCode.NotDelivered, 422, "Nobody handles the channel"),
        MeshError.Busy => new("busy", ExitCode.NotDelivered, 503, "No room now"),
        MeshError.HandlerFailed => new("handler-failed", ExitCode.NotDelivered, 502, "The handler failed"),
        MeshError.NodeStopped => new("node-stopped", ExitCode.NodeNotRunning, 503, "No node is running"),
        MeshError.Blocked => new("blocked", ExitCode.PeerUnreachable, 403, "The peer or its address is blocked"),
        MeshError.RateLimited => new("rate-limited", ExitCode.PeerUnreachable, 429, "The peer or its address came too often"),
        MeshError.DeadlineExceeded => new("deadline-exceeded", ExitCode.NotDelivered, 504, "The deadline has passed"),
        MeshError.SuccessionConflict => new("succession-conflict", ExitCode.PeerUnreachable, 409, "Two keys claim to follow one"),
        _ => throw new ArgumentOutOfRangeException(nameof(error), error, "An error without an entry."),
    };
}
