using Microsoft.Extensions.Logging;

namespace EventMesh.Trust.Internal;

/// <summary>The log of trust. Refusals are Warning at most once a minute for each kind of reason: a stranger can cause them at will.</summary>
internal static partial class Log
{
    [LoggerMessage(EventId = 1400, EventName = "CertificateRefused", Level = LogLevel.Warning, Message = "The certificate of peer {Peer} at {Remote} is refused: {Reason}. Further refusals of this kind within a minute are at debug level.")]
    public static partial void CertificateRefused(ILogger logger, string peer, string remote, string reason);

    [LoggerMessage(EventId = 1401, EventName = "CertificateRefusedAgain", Level = LogLevel.Debug, Message = "The certificate of peer {Peer} at {Remote} is refused: {Reason}.")]
    public static partial void CertificateRefusedAgain(ILogger logger, string peer, string remote, string reason);

    [LoggerMessage(EventId = 1402, EventName = "RevocationListRead", Level = LogLevel.Information, Message = "The revocation list '{File}' has changed: it revokes {Count} certificates.")]
    public static partial void RevocationListRead(ILogger logger, string file, int count);

    [LoggerMessage(EventId = 1403, EventName = "RevocationListUnusable", Level = LogLevel.Error, Message = "The revocation list '{File}' can't be read any more; what it said before stays in force. {Detail}")]
    public static partial void RevocationListUnusable(ILogger logger, string file, string detail);

    [LoggerMessage(EventId = 1404, EventName = "RevocationListDue", Level = LogLevel.Warning, Message = "The revocation list '{File}' should have been replaced by {Due:u}; it stays in force.")]
    public static partial void RevocationListDue(ILogger logger, string file, DateTimeOffset due);

    [LoggerMessage(EventId = 1405, EventName = "OwnCertificateExpires", Level = LogLevel.Warning, Message = "The node's own certificate expires at {NotAfter:u}. Renew it with mesh identity import.")]
    public static partial void OwnCertificateExpires(ILogger logger, DateTimeOffset notAfter);

    [LoggerMessage(EventId = 1406, EventName = "RootExpires", Level = LogLevel.Warning, Message = "The root certificate '{Subject}' expires at {NotAfter:u}.")]
    public static partial void RootExpires(ILogger logger, string subject, DateTimeOffset notAfter);

    [LoggerMessage(EventId = 1407, EventName = "SuccessionDisputed", Level = LogLevel.Warning, Message = "Two keys claim to follow peer {Predecessor}: {Known} and {Claimed}. Somebody has a copy of its key; both are refused until you decide: mesh identity resolve PREDECESSOR SUCCESSOR.")]
    public static partial void SuccessionDisputed(ILogger logger, string predecessor, string known, string claimed);

    [LoggerMessage(EventId = 1450, EventName = "PinMismatch", Level = LogLevel.Warning, Message = "Contact {Contact} is pinned to peer {Expected}, and peer {Found} answered at {Endpoint}: refused. If the change is meant: mesh trust pin {PinContact} {FullIdentity}")]
    public static partial void PinMismatch(ILogger logger, string contact, string expected, string found, string endpoint, string pinContact, string fullIdentity);

    [LoggerMessage(EventId = 1451, EventName = "TrustDecided", Level = LogLevel.Information, Message = "Trust: {Decision} by {By}.")]
    public static partial void Decided(ILogger logger, string decision, string by);

    [LoggerMessage(EventId = 1452, EventName = "ContactPinned", Level = LogLevel.Information, Message = "Contact {Contact} is pinned to peer {Peer}, the first one joined there.")]
    public static partial void ContactPinned(ILogger logger, string contact, string peer);

    [LoggerMessage(EventId = 1453, EventName = "OpeningNotDurable", Level = LogLevel.Warning, Message = "A decision that opens did not become durable and is not in force: {Detail}")]
    public static partial void OpeningNotDurable(ILogger logger, string detail);
}
