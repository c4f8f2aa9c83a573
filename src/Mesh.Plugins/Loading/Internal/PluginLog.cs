using System.Runtime.InteropServices;
using System.Text.Json;
using EventMesh.Events;
using EventMesh.Journal;
using EventMesh.Journal.Internal;

namespace EventMesh.Plugins.Loading.Internal;

/// <summary>Writes a plugin's events as the host's own type: a plugin's CLR type in the store's registry would keep the plugin loaded.</summary>
internal sealed class PluginLog(string plugin, IEventJournal journal) : IPluginLog
{
    private const int MaxNameLength = 128;
    private const int MaxDataBytes = 64 * 1024;

    public Task<RecordedEvent> AppendAsync(string name, JsonElement data, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        if (name.Length > MaxNameLength)
            throw new ArgumentException($"The name of a plugin's event has at most {MaxNameLength} characters, not {name.Length}.", nameof(name));
        if (data.ValueKind == JsonValueKind.Undefined)
            throw new ArgumentException("The content of a plugin's event is undefined; JSON null is allowed.", nameof(data));
        int length = JsonMarshal.GetRawUtf8Value(data).Length;
        if (length > MaxDataBytes)
            throw new ArgumentException($"The content of a plugin's event is at most {MaxDataBytes} bytes of JSON, not {length}.", nameof(data));
        // A jsonb column would refuse some of it with the whole batch, again and again; and the log's chain vouches for the rest only as far as a double goes.
        if (CanonicalJson.WhatIsLost(data) is { } lost)
            throw new ArgumentException($"The content of a plugin's event can't be stored: {lost}.", nameof(data));
        // The caller may dispose the document that the element belongs to; the log keeps it longer.
        RecordedEvent recorded = journal.Record(new PluginEvent(plugin, name, data.Clone()));
        return WhenDurableAsync(recorded, cancellationToken);
    }

    private async Task<RecordedEvent> WhenDurableAsync(RecordedEvent recorded, CancellationToken cancellationToken)
    {
        await journal.WhenDurableAsync(recorded, cancellationToken).ConfigureAwait(false);
        return recorded;
    }
}
