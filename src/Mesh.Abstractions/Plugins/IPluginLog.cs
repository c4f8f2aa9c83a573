using System.Text.Json;
using EventMesh.Events;

namespace EventMesh.Plugins;

/// <summary>Writes a plugin's own events to the node's log.</summary>
public interface IPluginLog
{
    /// <summary>Appends a <see cref="PluginEvent"/> and returns when it is durable.</summary>
    /// <param name="name">The event's name, the plugin's to choose: 1 to 128 characters.</param>
    /// <param name="data">The event's content, at most 64 KiB of JSON.</param>
    /// <param name="cancellationToken">Cancels the wait; the event is recorded all the same.</param>
    /// <exception cref="ArgumentException">The name or the content is larger than allowed, or the content is undefined or can't be stored: it has a number
    /// that a double can't hold, or text that is not valid Unicode.</exception>
    /// <remarks>
    /// The task fails with <see cref="MeshException"/>: <see cref="MeshError.NodeStopped"/> or <see cref="MeshError.EpochLost"/> when the
    /// event can't become durable any more.
    /// </remarks>
    Task<RecordedEvent> AppendAsync(string name, JsonElement data, CancellationToken cancellationToken = default);
}
