using System.Runtime.InteropServices;
using System.Text.Json;
using EventMesh.Events;
using EventMesh.Journal;

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
        CheckStorable(data);
        // The caller may dispose the document that the element belongs to; the log keeps it longer.
        RecordedEvent recorded = journal.Record(new PluginEvent(plugin, name, data.Clone()));
        return WhenDurableAsync(recorded, cancellationToken);
    }

    /// <summary>Refuses JSON that a jsonb column can't hold: the store would refuse its whole batch, again and again.</summary>
    private static void CheckStorable(JsonElement data)
    {
        try
        {
            if (!IsStorable(data)) throw new ArgumentException("The content of a plugin's event holds a number that is out of range.", nameof(data));
        }
        catch (InvalidOperationException e)
        {
            throw new ArgumentException("The content of a plugin's event holds text that is not valid Unicode.", nameof(data), e);
        }
    }

    // Reading a text throws where a surrogate is alone.
    private static bool IsStorable(JsonElement data) => data.ValueKind switch
    {
        JsonValueKind.Number => double.IsFinite(data.GetDouble()),
        JsonValueKind.String => data.GetString() is not null,
        JsonValueKind.Array => data.EnumerateArray().All(IsStorable),
        JsonValueKind.Object => data.EnumerateObject().All(property => property.Name.Length >= 0 && IsStorable(property.Value)),
        _ => true,
    };

    private async Task<RecordedEvent> WhenDurableAsync(RecordedEvent recorded, CancellationToken cancellationToken)
    {
        await journal.WhenDurableAsync(recorded, cancellationToken).ConfigureAwait(false);
        return recorded;
    }
}
