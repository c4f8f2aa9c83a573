using Microsoft.Extensions.Logging;

namespace EventMesh.Plugins.Internal;

/// <summary>What this assembly logs. What a remote peer can cause at will is Debug, beside a counter.</summary>
internal static partial class Log
{
    [LoggerMessage((int)LogEvent.PluginLoaded, LogLevel.Information, "Plugin {Plugin} {Version} is loaded from '{Folder}'.", EventName = nameof(LogEvent.PluginLoaded))]
    public static partial void PluginLoaded(ILogger logger, string plugin, string version, string? folder);

    [LoggerMessage((int)LogEvent.PluginUnloaded, LogLevel.Information, "Plugin {Plugin} is unloaded.", EventName = nameof(LogEvent.PluginUnloaded))]
    public static partial void PluginUnloaded(ILogger logger, string plugin);

    [LoggerMessage((int)LogEvent.PluginUnusable, LogLevel.Error, "{Reason}", EventName = nameof(LogEvent.PluginUnusable))]
    public static partial void PluginUnusable(ILogger logger, string reason, Exception? exception);

    [LoggerMessage((int)LogEvent.HandlerNeverCalled, LogLevel.Warning, "Handler {Handler} of plugin {Plugin} is never called: the mesh does not publish {Notification}.", EventName = nameof(LogEvent.HandlerNeverCalled))]
    public static partial void HandlerNeverCalled(ILogger logger, string plugin, string handler, string notification);

    [LoggerMessage((int)LogEvent.DisposeFailed, LogLevel.Warning, "Plugin {Plugin} failed while its services were disposed.", EventName = nameof(LogEvent.DisposeFailed))]
    public static partial void DisposeFailed(ILogger logger, string plugin, Exception exception);

    // A peer's message can make a handler throw, so this is Debug: the rate-limited PluginFailed event and the counter tell the operator.
    [LoggerMessage((int)LogEvent.HandlerFailed, LogLevel.Debug, "Plugin {Plugin} failed at {Work}.", EventName = nameof(LogEvent.HandlerFailed))]
    public static partial void HandlerFailed(ILogger logger, string plugin, string work, Exception exception);

    [LoggerMessage((int)LogEvent.PluginQuarantined, LogLevel.Error, "Plugin {Plugin} failed {Failures} times in a row and receives nothing until it is loaded again. Last: {Reason}", EventName = nameof(LogEvent.PluginQuarantined))]
    public static partial void PluginQuarantined(ILogger logger, string plugin, int failures, string reason);

    [LoggerMessage((int)LogEvent.ReportFailed, LogLevel.Warning, "The log took no event about plugin {Plugin}.", EventName = nameof(LogEvent.ReportFailed))]
    public static partial void ReportFailed(ILogger logger, string plugin, Exception exception);

    [LoggerMessage((int)LogEvent.WorkGivenUp, LogLevel.Warning, "Plugin {Plugin} did not finish its work in time while it was stopped; {Waiting} items were given up.", EventName = nameof(LogEvent.WorkGivenUp))]
    public static partial void WorkGivenUp(ILogger logger, string plugin, int waiting);

    [LoggerMessage((int)LogEvent.PeerMuted, LogLevel.Debug, "Plugin {Plugin} gets nothing of peer {Peer} for {Minutes} min: it failed at what the peer sent.", EventName = nameof(LogEvent.PeerMuted))]
    public static partial void PeerMuted(ILogger logger, string plugin, string peer, double minutes);
}
