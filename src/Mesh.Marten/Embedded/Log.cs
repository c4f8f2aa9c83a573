using Microsoft.Extensions.Logging;

namespace EventMesh.Marten.Embedded;

internal static partial class Log
{
    [LoggerMessage(EventId = 5101, EventName = "PrivateServerStarted", Level = LogLevel.Information,
        Message = "A private PostgreSQL {Major} runs in {Directory} as process {ProcessId}, ready after {Elapsed}")]
    public static partial void PrivateServerStarted(ILogger logger, int major, string directory, int processId, TimeSpan elapsed);

    [LoggerMessage(EventId = 5102, EventName = "PrivateServerCreated", Level = LogLevel.Information,
        Message = "Made a private PostgreSQL {Major} cluster in {Directory} in {Elapsed}")]
    public static partial void PrivateServerCreated(ILogger logger, int major, string directory, TimeSpan elapsed);

    [LoggerMessage(EventId = 5103, EventName = "PrivateServerDied", Level = LogLevel.Error,
        Message = "The private PostgreSQL in {Directory} ended by itself with code {ExitCode}; it is started again. Its last words: {LastLine}")]
    public static partial void PrivateServerDied(ILogger logger, string directory, int exitCode, string lastLine);

    [LoggerMessage(EventId = 5104, EventName = "PrivateServerRestartFailed", Level = LogLevel.Error,
        Message = "The private PostgreSQL in {Directory} can't be started again; tried again in {Seconds} s")]
    public static partial void PrivateServerRestartFailed(ILogger logger, Exception exception, string directory, double seconds);

    [LoggerMessage(EventId = 5105, EventName = "PrivateServerPredecessor", Level = LogLevel.Information,
        Message = "The private PostgreSQL of an earlier run, process {ProcessId}, still runs in {Directory}; waiting for its end")]
    public static partial void PrivateServerPredecessor(ILogger logger, int processId, string directory);

    [LoggerMessage(EventId = 5106, EventName = "PrivateServerMayOutlive", Level = LogLevel.Warning,
        Message = "setpriv (package util-linux) is not here: when this process is killed its PostgreSQL runs on until the next start")]
    public static partial void PrivateServerMayOutlive(ILogger logger);

    [LoggerMessage(EventId = 3130, EventName = "PrivateServerSocketLost", Level = LogLevel.Warning,
        Message = "Somebody has removed the socket {Socket} of the private PostgreSQL; the server is started again")]
    public static partial void SocketLost(ILogger logger, string socket);
}
