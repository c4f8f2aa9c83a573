namespace EventMesh.Plugins.Internal;

/// <summary>The identities of this assembly's log events.</summary>
internal enum LogEvent
{
    PluginLoaded = 5000,
    PluginUnloaded = 5001,
    PluginUnusable = 5002,
    HandlerNeverCalled = 5003,
    DisposeFailed = 5004,
    HandlerFailed = 5005,
    PluginQuarantined = 5006,
    ReportFailed = 5007,
    WorkGivenUp = 5008,
    PeerMuted = 5009,
}
