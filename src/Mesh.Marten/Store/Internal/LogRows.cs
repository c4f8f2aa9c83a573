using System.Buffers;
using System.Text.Json;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Journal.Internal;

namespace EventMesh.Marten.Store.Internal;

/// <summary>A batch of events as columns of Marten's table, in order of place.</summary>
internal sealed class LogRows
{
    private LogRows(int count, byte[] head)
    {
        Head = head;
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

    /// <summary>The link of the last event.</summary>
    public byte[] Head { get; private set; }

    /// <summary>The keys of the streams that the batch adds to.</summary>
    public required string[] Streams { get; init; }

    /// <summary>For each of <see cref="Streams"/>, how many events the batch adds to it.</summary>
    public required int[] Added { get; init; }

    /// <summary>Writes a batch as rows.</summary>
    /// <param name="node">The log's tenant.</param>
    /// <param name="batch">The events, without a gap.</param>
    /// <param name="registry">Their names on disk and their streams.</param>
    /// <param name="head">The link of the event before the first.</param>
    public static LogRows From(NodeId node, IReadOnlyList<RecordedEvent> batch, EventRegistry registry, byte[] head)
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
        var rows = new LogRows(batch.Count, head) { Streams = [.. streams], Added = [.. added] };
        var next = new int[streams.Count];
        for (int i = 0; i < batch.Count; i++)
            rows.Set(i, node, batch[i], registry, streamOf[i], ++next[streamOf[i]]);
        return rows;
    }

    private void Set(int i, NodeId node, RecordedEvent recorded, EventRegistry registry, int stream, int place)
    {
        Ids[i] = recorded.Id;
        Types[i] = registry.Get(recorded.Data.GetType()).WireName;
        Data[i] = EventSerializer.Serialize(recorded.Data);
        Times[i] = recorded.Time.UtcDateTime;
        Head = EventChain.Link(
            Head, EventChain.Digest(node, recorded.Id, recorded.Epoch, recorded.NodeSeq, recorded.Time, Types[i], Data[i], recorded.TraceParent));
        Headers[i] = WriteHeaders(recorded, Head);
        StreamOf[i] = stream + 1;
        Places[i] = place;
    }

    private static byte[] WriteHeaders(RecordedEvent recorded, byte[] link)
    {
        var buffer = new ArrayBufferWriter<byte>(192);
        using (Utf8JsonWriter writer = new(buffer))
        {
            writer.WriteStartObject();
            writer.WriteNumber(LogTables.EpochHeader, recorded.Epoch);
            writer.WriteNumber(LogTables.SeqHeader, recorded.NodeSeq);
            writer.WriteBase64String(LogTables.HashHeader, link);
            if (recorded.TraceParent is not null)
                writer.WriteString(LogTables.TraceHeader, recorded.TraceParent);
            writer.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }
}
