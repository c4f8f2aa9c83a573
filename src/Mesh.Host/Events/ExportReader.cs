using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using EventMesh.Host.Control;
using EventMesh.Host.Endpoints;
using EventMesh.Journal;

namespace EventMesh.Host.Events;

/// <summary>Reads an exported log, in JSON lines or CloudEvents, a line at a time.</summary>
internal sealed class ExportReader(StreamReader lines)
{
    private string? _line;
    private long _number;
    private bool _isCloud;

    /// <summary>Whose log it is.</summary>
    public Guid Node { get; private set; }

    /// <summary>The last place that the export says to have; null for CloudEvents, which say it at their end.</summary>
    public long? Through { get; private set; }

    /// <summary>Reads the first line.</summary>
    /// <exception cref="MeshException"><see cref="MeshError.InvalidConfiguration"/>: it is no export, or one that is no log any more.</exception>
    public async Task OpenAsync(CancellationToken cancellationToken)
    {
        await NextAsync(cancellationToken);
        JsonElement first = Parse<JsonElement>();
        if (first.ValueKind == JsonValueKind.Object && CloudEvents.IsOne(first))
        {
            _isCloud = true;
            Node = Event(first).Node;
            return;
        }
        ExportHeader header = first.ValueKind == JsonValueKind.Object && first.TryGetProperty("format", out _) ? Parse<ExportHeader>() : throw Wrong("it does not begin as one");
        if (header is not { Format: ExportHeader.Name, Version: 1 }) throw Wrong($"its form is '{header.Format}' {header.Version}");
        if (header.Types is not null) throw OnlySome();
        Node = header.Node;
        Through = header.Through;
        await NextAsync(cancellationToken);
    }

    /// <summary>Reads the events.</summary>
    public async IAsyncEnumerable<RecordedEvent> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long count = 0;
        bool hasEnded = false;
        for (; _line is not null; await NextAsync(cancellationToken))
        {
            if (_line.Length == 0) continue;
            if (hasEnded) throw Wrong("it goes on behind its end");
            JsonElement line = Parse<JsonElement>();
            if (_isCloud && End(line) is { } end)
            {
                if (end.Types is not null) throw OnlySome();
                if (end.Events != count || end.Sha256 != Convert.ToHexStringLower(hash.GetHashAndReset()))
                    throw Wrong($"its end stands for {end.Events} events, which are not the {count} before it");
                hasEnded = true;
                continue;
            }
            (Guid node, RecordedEvent recorded) = Event(line);
            if (node != Node) throw Wrong("it has events of several nodes");
            hash.AppendData(Encoding.UTF8.GetBytes(_line));
            hash.AppendData("\n"u8);
            count++;
            yield return recorded;
        }
        if (_isCloud && !hasEnded) throw Wrong($"it was cut off: the event '{CloudEvents.EndType}' that ends an export is missing");
    }

    private ExportClosing? End(JsonElement line)
    {
        try
        {
            return CloudEvents.ReadEnd(line);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw Wrong(e.Message, e);
        }
    }

    private static MeshException OnlySome() =>
        new(MeshError.InvalidConfiguration, "The export holds only some types of events, which are no log: export it again without --type.");

    private (Guid Node, RecordedEvent Event) Event(JsonElement line)
    {
        try
        {
            if (CloudEvents.IsOne(line)) return CloudEvents.Read(line);
            EventView view = line.Deserialize<EventView>(ControlJson.Options) ?? throw Wrong("there is an empty line");
            IMeshEvent data = view.Data.Deserialize<IMeshEvent>(EventRegistry.Default.Get(view.Event));
            return (Node, new RecordedEvent(view.Id, view.Epoch, view.Seq, view.Time, data, view.TraceParent));
        }
        catch (Exception e) when (e is JsonException or FormatException or KeyNotFoundException or InvalidOperationException or OverflowException or ArgumentException)
        {
            throw Wrong(e.Message, e);
        }
    }

    private T Parse<T>()
    {
        try
        {
            return JsonSerializer.Deserialize<T>(_line ?? "", ControlJson.Options) ?? throw Wrong("there is nothing");
        }
        catch (JsonException e)
        {
            throw Wrong(e.Message, e);
        }
    }

    private async Task NextAsync(CancellationToken cancellationToken)
    {
        _line = await lines.ReadLineAsync(cancellationToken);
        _number++;
    }

    private MeshException Wrong(string why, Exception? cause = null) =>
        new(MeshError.InvalidConfiguration, $"This is no exported log, or it is damaged: in line {_number} {why}", cause);
}
