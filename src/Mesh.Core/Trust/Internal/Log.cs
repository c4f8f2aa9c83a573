using Microsoft.Extensions.Logging;

namespace EventMesh.Trust.Internal;

/// <summary>The log of trust decisions.</summary>
internal static partial class Log
{
    [LoggerMessage(EventId = 1450, EventName = "PinMismatch", Level = LogLevel.Warning, Message = "Contact {Contact} is pinned to peer {Expected}, and peer {Found} answered at {Endpoint}: refused. If the change is meant: mesh trust pin {PinContact} {FullIdentity}")]
    public static partial void PinMismatch(ILogger logger, string contact, string expected, string found, string endpoint, string pinContact, string fullIdentity);

    [LoggerMessage(EventId = 1451, EventName = "TrustDecided", Level = LogLevel.Information, Message = "Trust: {Decision} by {By}.")]
    public static partial void Decided(ILogger logger, string decision, string by);

    [LoggerMessage(EventId = 1452, EventName = "ContactPinned", Level = LogLevel.Information, Message = "Contact {Contact} is pinned to peer {Peer}, the first one joined there.")]
    public static partial void ContactPinned(ILogger logger, string contact, string peer);

    [LoggerMessage(EventId = 1453, EventName = "OpeningNotDurable", Level = LogLevel.Warning, Message = "A decision that opens did not become durable and is not in force: {Detail}")]
    public static partial void OpeningNotDurable(ILogger logger, string detail);
}
