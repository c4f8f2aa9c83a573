using System.Text.Json;

namespace EventMesh.Events;

/// <summary>A plugin was loaded.</summary>
/// <param name="Plugin">Its name.</param>
/// <param name="Version">Its version.</param>
[MeshEvent("plugin.loaded", 1, StreamFamily.Plugins)]
public sealed record PluginLoaded(string Plugin, string Version) : IMeshEvent;

/// <summary>A plugin could not be loaded, or a handler of it threw or ran out of time.</summary>
/// <param name="Plugin">Its name, or its folder's while it has none.</param>
/// <param name="Notification">What was handled; null while loading.</param>
/// <param name="Error">Why, for people.</param>
[MeshEvent("plugin.failed", 1, StreamFamily.Plugins)]
public sealed record PluginFailed(string Plugin, string? Notification, string Error) : IMeshEvent;

/// <summary>A plugin failed too often and receives nothing until it is loaded again.</summary>
/// <param name="Plugin">Its name.</param>
/// <param name="Failures">The failures in a row that led to it.</param>
[MeshEvent("plugin.quarantined", 1, StreamFamily.Plugins)]
public sealed record PluginQuarantined(string Plugin, int Failures) : IMeshEvent;

/// <summary>A plugin was unloaded.</summary>
/// <param name="Plugin">Its name.</param>
[MeshEvent("plugin.unloaded", 1, StreamFamily.Plugins)]
public sealed record PluginUnloaded(string Plugin) : IMeshEvent;

/// <summary>A plugin's own event.</summary>
/// <param name="Plugin">The plugin's name.</param>
/// <param name="Name">The event's name, the plugin's to choose.</param>
/// <param name="Data">The event's content, at most 64 KiB of JSON.</param>
[MeshEvent("plugin.event", 1, StreamFamily.Plugins)]
public sealed record PluginEvent(string Plugin, string Name, JsonElement Data) : IMeshEvent;
