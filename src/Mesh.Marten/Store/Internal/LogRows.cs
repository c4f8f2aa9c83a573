using System.Buffers;
using System.Text.Json;
using EventMesh.Events;
using EventMesh.Journal;

namespace EventMesh.Marten.Store.Internal;

/// <summary>A batch of events as columns of Marten's table, in order of place.</summary>
internal sealed class LogRows
{
    private LogRows(int count)
    {
        Ids = new Guid[count];
        Types = new string[count];
        Data = new byte[count][];
        Times = new DateTime[count];
        Headers = new byte[count][];
        StreamOf = new int[count];
        Places = new int[count];
    }

    public Guid[] Ids { get; }

    public string[] Types { get; }

    public byte[][] Data { get; }

    public DateTime[] Times { get; }

    public byte[][] Headers { get; }

    /// <summary>For each event, which of <see cref="Streams"/> it belongs to, from 1 as PostgreSQL counts.</summary>
    public int[] StreamOf { get; }

    /// <summary>For each event, its place among those of its stream in this batch, from 1.</summary>
    public int[] Places { get; }

    /// <summary>The keys of the streams that the batch adds to.</summary>
    public required string[] Streams { get; init; }

    /// <summary>For each of <see cref="Streams"/>, how many events the batch adds to it.</summary>
    public required int[] Added { get; init; }

    public static LogRows From(IReadOnlyList<RecordedEvent> batch, EventRegistry registry)
    {
        List<string> streams = [];
        List<int> added = [];
        var streamOf = new int[batch.Count];
        for (int i = 0; i < batch.Count; i++)
        {
            string key = registry.StreamKey(batch[i]);
            // A handful of streams: a search is as fast as a dictionary.
            int stream = streams.IndexOf(key);
            if (stream < 0)
            {
                stream = streams.Count;
                streams.Add(key);
                added.Add(0);
            }
            added[stream]++;
            streamOf[i] = stream;
        }
        var rows = new LogRows(batch.Count) { Streams = [.. streams], Added = [.. added] };
        var next = new int[streams.Count];
        for (int i = 0; i < batch.Count; i++)
            rows.Set(i, batch[i], registry, streamOf[i], ++next[streamOf[i]]);
        return rows;
    }

    private void Set(int i, RecordedEvent recorded, EventRegistry registry, int stream, int place)
    {
        Ids[i] = recorded.Id;
        Types[i] = registry.Get(recorded.Data.GetType()).WireName;
        Data[i] = EventSerializer.Serialize(recorded.Data);
        Times[i] = recorded.Time.UtcDateTime;
        Headers[i] = WriteHeaders(recorded);
        StreamOf[i] = stream + 1;
        Places[i] = place;
    }

    private static byte[] WriteHeaders(RecordedEvent recorded)
    {
        var buffer = new ArrayBufferWriter<byte>(128);
        using (Utf8JsonWriter writer = new(buffer))
        {
            writer.WriteStartObject();
            writer.WriteNumber(LogTables.EpochHeader, recorded.Epoch);
            writer.WriteNumber(LogTables.SeqHeader, recorded.NodeSeq);
            if (recorded.TraceParent is not null)
                writer.WriteString(LogTables.TraceHeader, recorded.TraceParent);
            writer.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }
}
