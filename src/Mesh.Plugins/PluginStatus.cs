namespace EventMesh.Plugins;

/// <summary>A loaded plugin, as it was when asked.</summary>
/// <param name="Name">Its name; <c>app</c> for the application's own handlers.</param>
/// <param name="Version">Its assembly's version.</param>
/// <param name="Folder">The folder it was loaded from; null for the application.</param>
/// <param name="Channels">The patterns of the channels it handles.</param>
/// <param name="State">What it does now.</param>
/// <param name="Waiting">Messages and notifications that wait for it.</param>
/// <param name="Failures">Failures since it was loaded.</param>
public sealed record PluginStatus(
    string Name, string Version, string? Folder, IReadOnlyList<string> Channels, PluginState State, int Waiting, long Failures);
