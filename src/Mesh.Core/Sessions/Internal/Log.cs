using Microsoft.Extensions.Logging;

namespace EventMesh.Sessions.Internal;

/// <summary>The log of sessions. What a remote peer can cause at will is Debug.</summary>
internal static partial class Log
{
    [LoggerMessage(EventId = 1001, EventName = "PeerJoined", Level = LogLevel.Information, Message = "Peer {Peer} joined as {Kind} from {Remote}.")]
    public static partial void PeerJoined(ILogger logger, string peer, string kind, string remote);

    [LoggerMessage(EventId = 1002, EventName = "PeerLeft", Level = LogLevel.Information, Message = "Peer {Peer} left: {Reason}.")]
    public static partial void PeerLeft(ILogger logger, string peer, string reason);

    [LoggerMessage(EventId = 1003, EventName = "ProtocolViolation", Level = LogLevel.Debug, Message = "Peer {Peer} broke the protocol: {Detail}")]
    public static partial void ProtocolViolation(ILogger logger, string peer, string detail);

    [LoggerMessage(EventId = 1004, EventName = "UnknownStreamType", Level = LogLevel.Debug, Message = "Peer {Peer} opened a stream of unknown type {Type}.")]
    public static partial void UnknownStreamType(ILogger logger, string peer, ulong type);

    [LoggerMessage(EventId = 1005, EventName = "ConnectionRefused", Level = LogLevel.Debug, Message = "Refused a connection of {Remote}: {Code}.")]
    public static partial void ConnectionRefused(ILogger logger, string remote, string code);

    [LoggerMessage(EventId = 1006, EventName = "DialFailed", Level = LogLevel.Debug, Message = "Dial to {Remote} failed: {Error}: {Detail}")]
    public static partial void DialFailed(ILogger logger, string remote, MeshError error, string detail);

    [LoggerMessage(EventId = 1007, EventName = "ReverseCheckFailed", Level = LogLevel.Information, Message = "Peer {Peer} can't be dialled ({Error}): it is used as a client.")]
    public static partial void ReverseCheckFailed(ILogger logger, string peer, MeshError error);

    [LoggerMessage(EventId = 1008, EventName = "DuplicateIdentity", Level = LogLevel.Warning, Message = "Another process uses this node's identity: peer {Peer} saw it. Give each node a data directory of its own.")]
    public static partial void DuplicateIdentity(ILogger logger, string peer);

    [LoggerMessage(EventId = 1009, EventName = "SessionFailed", Level = LogLevel.Error, Message = "The session with peer {Peer} failed: a bug.")]
    public static partial void SessionFailed(ILogger logger, Exception exception, string peer);

    [LoggerMessage(EventId = 1010, EventName = "Unreachable", Level = LogLevel.Warning, Message = "Peer {Peer} could not dial this node back: behind a NAT or firewall it works as a client.")]
    public static partial void Unreachable(ILogger logger, string peer);

    [LoggerMessage(EventId = 1012, EventName = "StreamFailed", Level = LogLevel.Debug, Message = "A stream of peer {Peer} could not be handled.")]
    public static partial void StreamFailed(ILogger logger, Exception exception, string peer);

    [LoggerMessage(EventId = 1013, EventName = "DialBroke", Level = LogLevel.Error, Message = "A dial ended with an unexpected failure: a bug.")]
    public static partial void DialBroke(ILogger logger, Exception exception);

    [LoggerMessage(EventId = 1014, EventName = "PeerUpdated", Level = LogLevel.Information, Message = "Peer {Peer} is used as {Kind} at {Remote} from now on.")]
    public static partial void PeerUpdated(ILogger logger, string peer, string kind, string remote);

    [LoggerMessage(EventId = 1015, EventName = "RefusedAsDuplicate", Level = LogLevel.Warning, Message = "{Remote} refuses this node, because another live process uses its identity. Give each node a data directory of its own.")]
    public static partial void RefusedAsDuplicate(ILogger logger, string remote);

    [LoggerMessage(EventId = 1011, EventName = "AcceptFailed", Level = LogLevel.Error, Message = "The accept loop failed.")]
    public static partial void AcceptFailed(ILogger logger, Exception exception);
}
