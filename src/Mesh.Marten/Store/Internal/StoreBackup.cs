using System.Data;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using EventMesh.Marten.Projections.Internal;
using Npgsql;

namespace EventMesh.Marten.Store.Internal;

/// <summary>
/// Writes the logs of all nodes to a file: a zip with the rows of each table as COPY writes them, all as of one moment. The projections' tables are left out, since they
/// are folded from the log.
/// </summary>
internal sealed class StoreBackup(NpgsqlDataSource source, LogTables tables, TimeProvider time)
{
    public async Task<BackupManifest> WriteAsync(Stream file, int version, CancellationToken cancellationToken)
    {
        NpgsqlConnection connection = await source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            NpgsqlTransaction transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken).ConfigureAwait(false);
            await using (transaction.ConfigureAwait(false))
            {
                await Sql.ExecuteAsync(connection, "set transaction read only", cancellationToken).ConfigureAwait(false);
                var archive = await ZipArchive.CreateAsync(file, ZipArchiveMode.Create, leaveOpen: true, entryNameEncoding: null, cancellationToken).ConfigureAwait(false);
                await using (archive.ConfigureAwait(false))
                {
                    List<BackupTable> written = [];
                    foreach (BackupTable table in await FindTablesAsync(connection, cancellationToken).ConfigureAwait(false))
                        written.Add(table with { Rows = await WriteAsync(connection, archive, table, cancellationToken).ConfigureAwait(false) });
                    List<BackupSequence> sequences = await Sql.QueryAsync(
                        Sql.Command(connection, "select sequencename::text, last_value from pg_sequences where schemaname = $1 and last_value is not null", tables.Schema),
                        row => new BackupSequence(row.GetString(0), row.GetInt64(1)), cancellationToken).ConfigureAwait(false);
                    var manifest = new BackupManifest(
                        BackupManifest.CurrentFormat, version, time.GetUtcNow(), connection.ServerVersion, written, sequences);
                    Stream entry = await archive.CreateEntry(BackupManifest.EntryName).OpenAsync(cancellationToken).ConfigureAwait(false);
                    await using (entry.ConfigureAwait(false))
                        await JsonSerializer.SerializeAsync(entry, manifest, BackupManifest.Options, cancellationToken).ConfigureAwait(false);
                    return manifest;
                }
            }
        }
    }

    /// <summary>All tables but those that say how the schema is made and those of projections; a partitioned one counts once.</summary>
    private async Task<List<BackupTable>> FindTablesAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        string generations = string.Join('|', LogProjection.All(tables.Schema).Select(projection => projection.Name));
        return await Sql.QueryAsync(
            Sql.Command(
                connection,
                """
                select c.relname::text, array_agg(a.attname::text order by a.attnum)
                from pg_class c join pg_attribute a on a.attrelid = c.oid
                where c.relnamespace = to_regnamespace($1) and c.relkind in ('r', 'p') and not c.relispartition
                    and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
                    and c.relname not in ('schema_version', 'projection', 'projection_position', 'projection_leadership') and c.relname !~ $2
                group by c.relname order by c.relname
                """,
                tables.Schema, $"^({generations})_[0-9]+$"),
            row => new BackupTable(row.GetString(0), row.GetFieldValue<string[]>(1), 0), cancellationToken).ConfigureAwait(false);
    }

    private async Task<long> WriteAsync(NpgsqlConnection connection, ZipArchive archive, BackupTable table, CancellationToken cancellationToken)
    {
        long rows = 0;
        Stream entry = await archive.CreateEntry(table.EntryName, CompressionLevel.Fastest).OpenAsync(cancellationToken).ConfigureAwait(false);
        await using (entry.ConfigureAwait(false))
        {
            using TextReader reader = await connection.BeginTextExportAsync(
                $"copy (select {table.ColumnList} from {tables.Schema}.\"{table.Name}\") to stdout", cancellationToken).ConfigureAwait(false);
            var writer = new StreamWriter(entry, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), bufferSize: 65_536, leaveOpen: true) { NewLine = "\n" };
            await using (writer.ConfigureAwait(false))
            {
                // In COPY's text form a line is a row: a line's end within a value is escaped.
                while (await reader.ReadLineAsync(cancellationToken).ConfigureAwait(false) is { } line)
                {
                    await writer.WriteLineAsync(line.AsMemory(), cancellationToken).ConfigureAwait(false);
                    rows++;
                }
            }
        }
        return rows;
    }
}
