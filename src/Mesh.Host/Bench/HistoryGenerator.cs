using System.Globalization;
using System.Text;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Journal.Internal;
using EventMesh.Projections;
using Npgsql;

namespace EventMesh.Host.Bench;

/// <summary>
/// Writes the log of a node over many months by COPY, as its journal and its archive would have left it: closed months in blocks, the last two and the present one in the table of
/// events, and each month but the first with the snapshots that open it. It has no chain of hashes.
/// </summary>
internal sealed class HistoryGenerator(NpgsqlDataSource source, NodeId node, long count, DateTimeOffset start, DateTimeOffset end)
{
    private const int BlockSize = 1000;
    private const int HotMonths = 2;

    private readonly Dictionary<string, Segment> _segments = [];
    private readonly string _tenant = node.ToString();
    private long _place;

    /// <summary>Events that went into blocks.</summary>
    public long Archived { get; private set; }

    public async Task WriteAsync(CancellationToken cancellationToken)
    {
        DateOnly hotFrom = SegmentState.MonthOf(end).AddMonths(-HotMonths);
        await using NpgsqlConnection connection = await source.OpenConnectionAsync(cancellationToken);
        using IEnumerator<Row> rows = Rows().GetEnumerator();
        bool more = rows.MoveNext();
        await using (NpgsqlBinaryImporter copy = await connection.BeginBinaryImportAsync(
            """
            copy mesh.log_block (tenant_id, stream_id, family, month, first_seq, last_seq, first_time, last_time, first_version, count, kinds, seqs, ids, types,
                times, data, headers) from stdin (format binary)
            """,
            cancellationToken))
        {
            more = more && await WriteBlocksAsync(copy, rows, hotFrom, cancellationToken);
            await copy.CompleteAsync(cancellationToken);
        }
        if (more)
            await WriteRowsAsync(connection, rows, cancellationToken);
        await WriteEndsAsync(connection, cancellationToken);
    }

    /// <summary>The time of an event of the benchmark; they are spread evenly.</summary>
    private DateTimeOffset TimeOf(long index)
    {
        double share = (double)index / count;
        long ticks = (long)((end - start).Ticks * share);
        return start.AddTicks(ticks - (ticks % TimeSpan.TicksPerMicrosecond));
    }

    /// <summary>The whole log, in order.</summary>
    private IEnumerable<Row> Rows()
    {
        DateOnly month = SegmentState.MonthOf(start);
        for (long i = 0; i < count; i++)
        {
            DateTimeOffset time = TimeOf(i);
            if (SegmentState.MonthOf(time) != month)
            {
                month = SegmentState.MonthOf(time);
                foreach (IMeshEvent opening in SegmentOpening.Open(StateBefore(i), time))
                    yield return Make(opening, time);
            }
            yield return Make(BenchmarkEvents.At((int)i), time);
        }
    }

    /// <summary>The state before an event: what the peers' first visits have made of it, and their last.</summary>
    private MeshState StateBefore(long index)
    {
        MeshState state = MeshState.Empty;
        for (long i = 0; i < index; i = i == BenchmarkEvents.Round - 1 ? Math.Max(i + 1, index - (2 * BenchmarkEvents.Round)) : i + 1)
            state = MeshState.Apply(state, new RecordedEvent(Guid.Empty, 1, i + 1, TimeOf(i), BenchmarkEvents.At((int)i), null));
        return state;
    }

    /// <summary>Closed months; false when no other follows.</summary>
    private async Task<bool> WriteBlocksAsync(NpgsqlBinaryImporter copy, IEnumerator<Row> all, DateOnly until, CancellationToken cancellationToken)
    {
        Dictionary<string, List<Row>> open = [];
        bool more = true;
        for (; more && SegmentState.MonthOf(all.Current.Time) < until; more = all.MoveNext())
        {
            Row row = all.Current;
            if (!open.TryGetValue(row.Stream, out List<Row>? rows))
            {
                // A new month: those before are complete.
                foreach ((string stream, List<Row> rest) in open.Where(entry => entry.Key[^7..] != row.Stream[^7..]).ToList())
                {
                    await WriteBlockAsync(copy, stream, rest, cancellationToken);
                    open.Remove(stream);
                }
                open[row.Stream] = rows = [];
            }
            rows.Add(row);
            Archived++;
            if (rows.Count < BlockSize)
                continue;
            await WriteBlockAsync(copy, row.Stream, rows, cancellationToken);
            rows.Clear();
        }
        foreach ((string stream, List<Row> rest) in open)
            await WriteBlockAsync(copy, stream, rest, cancellationToken);
        return more;
    }

    private async Task WriteBlockAsync(NpgsqlBinaryImporter copy, string stream, List<Row> rows, CancellationToken cancellationToken)
    {
        if (rows.Count == 0)
            return;
        Segment segment = Extend(stream, rows[0], rows[^1], rows.Count);
        segment.IsArchived = true;
        await copy.StartRowAsync(cancellationToken);
        await copy.WriteAsync(_tenant, "varchar", cancellationToken);
        await copy.WriteAsync(stream, "varchar", cancellationToken);
        await copy.WriteAsync(stream.Split('/')[0], "text", cancellationToken);
        await copy.WriteAsync(segment.Month, "date", cancellationToken);
        await copy.WriteAsync(rows[0].Seq, "bigint", cancellationToken);
        await copy.WriteAsync(rows[^1].Seq, "bigint", cancellationToken);
        await copy.WriteAsync(rows[0].Time, "timestamptz", cancellationToken);
        await copy.WriteAsync(rows[^1].Time, "timestamptz", cancellationToken);
        await copy.WriteAsync(segment.Count - rows.Count + 1, "bigint", cancellationToken);
        await copy.WriteAsync(rows.Count, "integer", cancellationToken);
        await copy.WriteAsync(rows.Select(row => row.Type).Distinct().ToArray(), "text[]", cancellationToken);
        await copy.WriteAsync(rows.Select(row => row.Seq).ToArray(), "bigint[]", cancellationToken);
        await copy.WriteAsync(rows.Select(row => row.Id).ToArray(), "uuid[]", cancellationToken);
        await copy.WriteAsync(rows.Select(row => row.Type).ToArray(), "text[]", cancellationToken);
        await copy.WriteAsync(rows.Select(row => row.Time).ToArray(), "timestamptz[]", cancellationToken);
        await copy.WriteAsync(rows.Select(row => row.Data).ToArray(), "text[]", cancellationToken);
        await copy.WriteAsync(rows.Select(row => row.Headers).ToArray(), "text[]", cancellationToken);
    }

    private async Task WriteRowsAsync(NpgsqlConnection connection, IEnumerator<Row> rows, CancellationToken cancellationToken)
    {
        // Rows refer to their stream.
        for (DateTimeOffset month = rows.Current.Time; month <= end.AddMonths(1); month = month.AddMonths(1))
        {
            foreach (StreamFamily family in new[] { StreamFamily.Peers, StreamFamily.Cache })
            {
                await using NpgsqlCommand command = new("insert into mesh.mt_streams (tenant_id, id, version) values ($1, $2, 0)", connection);
                command.Parameters.Add(new NpgsqlParameter { Value = _tenant });
                command.Parameters.Add(new NpgsqlParameter { Value = EventRegistry.StreamKey(family, month) });
                await command.ExecuteNonQueryAsync(cancellationToken);
            }
        }
        await using NpgsqlBinaryImporter copy = await connection.BeginBinaryImportAsync(
            """
            copy mesh.mt_events (seq_id, id, stream_id, version, data, type, timestamp, tenant_id, mt_dotnet_type, is_archived, headers)
                from stdin (format binary)
            """,
            cancellationToken);
        do
        {
            Row row = rows.Current;
            Segment segment = Extend(row.Stream, row, row, 1);
            await copy.StartRowAsync(cancellationToken);
            await copy.WriteAsync(row.Seq, "bigint", cancellationToken);
            await copy.WriteAsync(row.Id, "uuid", cancellationToken);
            await copy.WriteAsync(row.Stream, "varchar", cancellationToken);
            await copy.WriteAsync(segment.Count, "bigint", cancellationToken);
            await copy.WriteAsync(row.Data, "jsonb", cancellationToken);
            await copy.WriteAsync(row.Type, "varchar", cancellationToken);
            await copy.WriteAsync(row.Time, "timestamptz", cancellationToken);
            await copy.WriteAsync(_tenant, "varchar", cancellationToken);
            await copy.WriteAsync("", "varchar", cancellationToken);
            await copy.WriteAsync(value: false, "boolean", cancellationToken);
            await copy.WriteAsync(row.Headers, "jsonb", cancellationToken);
        }
        while (rows.MoveNext());
        await copy.CompleteAsync(cancellationToken);
    }

    private async Task WriteEndsAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        foreach ((string stream, Segment segment) in _segments)
        {
            await ExecuteAsync(
                """
                insert into mesh.mt_streams (tenant_id, id, version, is_archived) values ($1, $2, $3, $4)
                on conflict (tenant_id, id) do update set version = excluded.version
                """,
                _tenant, stream, segment.Count, segment.IsArchived);
            if (segment.IsArchived)
                await ExecuteAsync(
                    """
                    insert into mesh.log_segment (tenant_id, stream_id, family, month, first_seq, last_seq, first_time, last_time, count, is_complete)
                    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, true)
                    """,
                    _tenant, stream, stream.Split('/')[0], segment.Month, segment.FirstSeq, segment.LastSeq, segment.FirstTime, segment.LastTime, segment.Count);
        }
        await ExecuteAsync("select setval('mesh.mt_events_sequence', $1)", _place);
        await ExecuteAsync("insert into mesh.node_log (tenant_id, epoch, node_seq, time) values ($1, 1, $2, $3)", _tenant, _place, TimeOf(count - 1));
        await ExecuteAsync("analyze");

        async Task ExecuteAsync(string text, params object[] values)
        {
#pragma warning disable CA2100 // The texts are those above.
            await using NpgsqlCommand command = new(text, connection) { CommandTimeout = 600 };
#pragma warning restore CA2100
            foreach (object value in values)
                command.Parameters.Add(new NpgsqlParameter { Value = value });
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
    }

    private Segment Extend(string stream, Row first, Row last, int rows)
    {
        if (!_segments.TryGetValue(stream, out Segment? segment))
            _segments[stream] = segment = new Segment
            {
                Month = new DateOnly(first.Time.Year, first.Time.Month, 1),
                FirstSeq = first.Seq,
                FirstTime = first.Time,
            };
        segment.LastSeq = last.Seq;
        segment.LastTime = last.Time;
        segment.Count += rows;
        return segment;
    }

    private Row Make(IMeshEvent data, DateTimeOffset time)
    {
        EventDescriptor descriptor = EventRegistry.Default.Get(data.GetType());
        return new(
            ++_place, Guid.CreateVersion7(time), EventRegistry.StreamKey(descriptor.Family, time), descriptor.WireName, time,
            Encoding.UTF8.GetString(MeshJson.Serialize(data)),
            string.Create(CultureInfo.InvariantCulture, $$"""{"seq": {{_place}}, "epoch": 1}"""));
    }

    private sealed record Row(long Seq, Guid Id, string Stream, string Type, DateTimeOffset Time, string Data, string Headers);

    private sealed class Segment
    {
        public DateOnly Month { get; init; }

        public long FirstSeq { get; init; }

        public DateTimeOffset FirstTime { get; init; }

        public long LastSeq { get; set; }

        public DateTimeOffset LastTime { get; set; }

        public long Count { get; set; }

        public bool IsArchived { get; set; }
    }
}
