using System.Buffers;
using System.Text.Json;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Journal.Internal;

namespace EventMesh.Marten.Store.Internal;

/// <summary>A batch of events as columns of Marten's table, in order of place. All but the links of the chain can be made before it is known where the chain ends.</summary>
internal sealed class LogRows
{
    private readonly IReadOnlyList<RecordedEvent> _batch;
    private readonly byte[][] _digests;

    private LogRows(IReadOnlyList<RecordedEvent> batch)
    {
        _batch = batch;
        int count = batch.Count;
        _digests = new byte[count][];
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

    /// <summary>Filled by <see cref="LinkTo"/>.</summary>
    public byte[][] Headers { get; }

    /// <summary>For each event, which of <see cref="Streams"/> it belongs to, from 1 as PostgreSQL counts.</summary>
    public int[] StreamOf { get; }

    /// <summary>For each event, its place among those of its stream in this batch, from 1.</summary>
    public int[] Places { get; }

    /// <summary>The link of the last event, once there are links.</summary>
    public byte[] Head { get; private set; } = [];

    /// <summary>The keys of the streams that the batch adds to.</summary>
    public required string[] Streams { get; init; }

    /// <summary>For each of <see cref="Streams"/>, how many events the batch adds to it.</summary>
    public required int[] Added { get; init; }

    /// <summary>Writes a batch as rows, without links.</summary>
    /// <param name="node">The log's tenant.</param>
    /// <param name="batch">The events, without a gap.</param>
    /// <param name="registry">Their names on disk and their streams.</param>
    public static LogRows From(NodeId node, IReadOnlyList<RecordedEvent> batch, EventRegistry registry)
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
        var rows = new LogRows(batch) { Streams = [.. streams], Added = [.. added] };
        var next = new int[streams.Count];
        for (int i = 0; i < batch.Count; i++)
            rows.Set(i, node, batch[i], registry, streamOf[i], ++next[streamOf[i]]);
        return rows;
    }

    /// <summary>Whether these are the rows of a batch.</summary>
    public bool AreOf(IReadOnlyList<RecordedEvent> batch) => ReferenceEquals(batch, _batch);

    /// <summary>Links the events to the one before the first.</summary>
    /// <param name="head">The link of that event.</param>
    public void LinkTo(byte[] head)
    {
        Head = head;
        for (int i = 0; i < _digests.Length; i++)
        {
            Head = EventChain.Link(Head, _digests[i]);
            Headers[i] = WriteHeaders(_batch[i], Head);
        }
    }

    private void Set(int i, NodeId node, RecordedEvent recorded, EventRegistry registry, int stream, int place)
    {
        Ids[i] = recorded.Id;
        Types[i] = registry.Get(recorded.Data.GetType()).WireName;
        Data[i] = EventSerializer.Serialize(recorded.Data);
        Times[i] = recorded.Time.UtcDateTime;
        _digests[i] = EventChain.Digest(node, recorded.Id, recorded.Epoch, recorded.NodeSeq, recorded.Time, Types[i], Data[i], recorded.TraceParent);
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
