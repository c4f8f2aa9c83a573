using Microsoft.Extensions.Logging;

namespace EventMesh.Limits.Internal;

/// <summary>The log of offences. The line is API: docs/operations.md has its form, and rules of fail2ban read it.</summary>
internal static partial class Log
{
    // At Warning although a remote peer causes it: programs wait for it. AbuseGuard bounds how many there are.
    [LoggerMessage(EventId = 1500, EventName = "Offence", Level = LogLevel.Warning, Message = "offence kind={Kind} source={Source} peer={Peer} points={Points} score={Score} action={Action} suppressed={Suppressed}")]
    public static partial void Offence(ILogger logger, Offence kind, string source, string peer, int points, int score, string action, long suppressed);

    [LoggerMessage(EventId = 1501, EventName = "OffenceNotRecorded", Level = LogLevel.Debug, Message = "A block could not be recorded: {Detail}")]
    public static partial void NotRecorded(ILogger logger, string detail);
}
