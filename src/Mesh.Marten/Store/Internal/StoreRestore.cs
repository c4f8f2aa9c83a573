using System.IO.Compression;
using System.Text;
using System.Text.Json;
using EventMesh.Events;
using EventMesh.Journal;
using Npgsql;

namespace EventMesh.Marten.Store.Internal;

/// <summary>Brings a backup into an empty schema, in one transaction that ends well only when each node's log is whole.</summary>
internal sealed class StoreRestore(NpgsqlDataSource source, LogTables tables, LogReader reader)
{
    /// <summary>Reads what a backup says about itself.</summary>
    public static async Task<BackupManifest> ReadManifestAsync(ZipArchive archive, CancellationToken cancellationToken)
    {
        ZipArchiveEntry entry = archive.GetEntry(BackupManifest.EntryName) ?? throw Unreadable("it has no manifest");
        Stream stream = await entry.OpenAsync(cancellationToken).ConfigureAwait(false);
        await using (stream.ConfigureAwait(false))
        {
            BackupManifest manifest;
            try
            {
                manifest = await JsonSerializer.DeserializeAsync<BackupManifest>(stream, BackupManifest.Options, cancellationToken).ConfigureAwait(false)
                    ?? throw Unreadable("its manifest is empty");
            }
            catch (JsonException exception)
            {
                throw Unreadable(exception.Message, exception);
            }
            if (manifest.Format > BackupManifest.CurrentFormat || manifest.SchemaVersion > StoreSchema.Current)
                throw new MeshException(
                    MeshError.StoreIncompatible,
                    $"A newer program made the backup (format {manifest.Format}, schema {manifest.SchemaVersion}; this one knows {BackupManifest.CurrentFormat} and {StoreSchema.Current}). Update this one.");
            return manifest;
        }
    }

    /// <summary>What a file that is no whole backup is refused with.</summary>
    public static MeshException Unreadable(string reason, Exception? exception = null) =>
        new(MeshError.StoreIncompatible, $"The file is no whole backup: {reason}", exception);

    /// <summary>Restores; returns the ends of the logs.</summary>
    public async Task<IReadOnlyList<LogPosition>> RunAsync(ZipArchive archive, BackupManifest manifest, CancellationToken cancellationToken)
    {
        NpgsqlConnection connection = await source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            NpgsqlTransaction transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
            await using (transaction.ConfigureAwait(false))
            {
                // A node that starts meanwhile waits, and finds the restored log.
                await Sql.ExecuteAsync(connection, $"lock table {tables.Nodes} in exclusive mode", cancellationToken).ConfigureAwait(false);
                long present = await Sql.ScalarAsync<long>(
                    connection,
                    $"""
                    select (select count(*) from {tables.Nodes}) + (select count(*) from (select from {tables.Events} limit 1) e)
                        + (select count(*) from (select from {tables.Blocks} limit 1) b) + (select count(*) from {tables.Segments})
                    """,
                    cancellationToken).ConfigureAwait(false);
                if (present > 0)
                    throw new MeshException(
                        MeshError.StoreIncompatible, $"The schema '{tables.Schema}' holds logs already: a restore needs an empty one, another database or EventMesh:Store:Schema.");
                foreach (BackupTable table in manifest.Tables)
                    await ReadAsync(connection, archive, table, cancellationToken).ConfigureAwait(false);
                foreach (BackupSequence sequence in manifest.Sequences)
                    await Sql.ScalarAsync<long>(
                        connection, $"select setval(to_regclass($1), $2)", cancellationToken, $"{tables.Schema}.\"{sequence.Name}\"", sequence.Value).ConfigureAwait(false);
                IReadOnlyList<LogPosition> ends = await CheckAsync(connection, cancellationToken).ConfigureAwait(false);
                await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
                return ends;
            }
        }
    }

    private async Task ReadAsync(NpgsqlConnection connection, ZipArchive archive, BackupTable table, CancellationToken cancellationToken)
    {
        ZipArchiveEntry entry = archive.GetEntry(table.EntryName) ?? throw Unreadable($"the table {table.Name} is missing");
        // The names come from a file: only what is a table here is written to.
        if (!await Sql.ScalarAsync<bool>(
            connection, "select exists (select from pg_class where relnamespace = to_regnamespace($1) and relname = $2)", cancellationToken, tables.Schema, table.Name)
            .ConfigureAwait(false) || table.Columns.Any(column => column.Contains('"', StringComparison.Ordinal)))
            throw Unreadable($"the table {table.Name} is not one of this schema");
        long rows = 0;
        Stream stream = await entry.OpenAsync(cancellationToken).ConfigureAwait(false);
        await using (stream.ConfigureAwait(false))
        {
            using var lines = new StreamReader(stream, Encoding.UTF8);
            TextWriter writer = await connection.BeginTextImportAsync(
                $"copy {tables.Schema}.\"{table.Name}\" ({table.ColumnList}) from stdin", cancellationToken).ConfigureAwait(false);
            await using (writer.ConfigureAwait(false))
            {
                while (await lines.ReadLineAsync(cancellationToken).ConfigureAwait(false) is { } line)
                {
                    await writer.WriteAsync(line).ConfigureAwait(false);
                    await writer.WriteAsync('\n').ConfigureAwait(false);
                    rows++;
                }
            }
        }
        if (rows != table.Rows)
            throw Unreadable($"the table {table.Name} has {rows} rows instead of {table.Rows}");
    }

    /// <summary>
    /// Places without a gap but those of dropped months, each of which an event tells; epochs that only a claim moves on, and an end that is where the log's table of
    /// ends says.
    /// </summary>
    private async Task<IReadOnlyList<LogPosition>> CheckAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        List<LogPosition> ends = [];
        List<string> tenants = await Sql.QueryAsync(
            Sql.Command(
                connection,
                $"""
                select tenant_id from {tables.Nodes} union select distinct tenant_id from {tables.Events}
                union select distinct tenant_id from {tables.Blocks} union select tenant_id from {tables.Segments}
                """),
            row => row.GetString(0), cancellationToken).ConfigureAwait(false);
        foreach (string tenant in tenants)
        {
            LogPosition end = await reader.GetPositionAsync(connection, tenant, cancellationToken).ConfigureAwait(false);
            var last = new LogPosition(0, 0, DateTimeOffset.MinValue);
            List<(long First, long Last)> dropped = await reader.GetDroppedAsync(connection, tenant, cancellationToken).ConfigureAwait(false);
            Dictionary<(long First, long Last), long> told = [];
            long read = 0;
            List<RecordedEvent> page;
            do
            {
                page = await reader.ReadPageAsync(connection, tenant, last.NodeSeq, long.MaxValue, LogFilter.None, cancellationToken).ConfigureAwait(false);
                foreach (RecordedEvent recorded in page)
                {
                    last = Follow(tenant, last, recorded, dropped);
                    if (recorded.Data is SegmentDropped drop)
                        told[(drop.FirstSeq, drop.LastSeq)] = drop.Count;
                }
                read += page.Count;
            }
            while (page.Count == LogReader.PageSize);
            if (last != end)
                throw Broken(tenant, $"it ends at place {last.NodeSeq} of epoch {last.Epoch}, and {end.NodeSeq} of epoch {end.Epoch} is noted as its end");
            if (dropped.FindIndex(month => !told.ContainsKey(month)) is var untold and >= 0)
                throw Broken(tenant, $"no event tells that the month from place {dropped[untold].First} to {dropped[untold].Last} was dropped");
            // Between the events of a dropped month stood others, which stay.
            if (dropped.Sum(month => told[month]) is var gone && end.NodeSeq - read != gone)
                throw Broken(tenant, $"{end.NodeSeq - read} places have no event, and {gone} were dropped");
            // What stands twice, or where no reader looks.
            if (await reader.CountAsync(connection, tenant, 0, long.MaxValue, LogFilter.None, cancellationToken).ConfigureAwait(false) is var held && held != read)
                throw Broken(tenant, $"it holds {held} events, of which {read} can be read");
            ends.Add(end);
        }
        return ends;
    }

    internal static LogPosition Follow(string tenant, LogPosition last, RecordedEvent next, IReadOnlyList<(long First, long Last)> dropped)
    {
        if (next.NodeSeq <= last.NodeSeq || LogGaps.FirstUnexplained(last.NodeSeq, next.NodeSeq, dropped) is not null)
            throw Broken(tenant, $"place {next.NodeSeq} follows place {last.NodeSeq}");
        int epoch = next.Data is NodeStarted ? last.Epoch + 1 : last.Epoch;
        if (next.Epoch != epoch)
            throw Broken(tenant, $"place {next.NodeSeq} is of epoch {next.Epoch} instead of {epoch}");
        if (next.Time <= last.Time)
            throw Broken(tenant, $"place {next.NodeSeq} is not later than the one before");
        return new LogPosition(next.Epoch, next.NodeSeq, next.Time);
    }

    private static MeshException Broken(string tenant, string how) =>
        new(MeshError.StoreIncompatible, $"The log of node {tenant} in the backup is not whole: {how}. Nothing was restored.");
}
