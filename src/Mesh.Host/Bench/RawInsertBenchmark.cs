using System.Diagnostics;
using System.Globalization;
using System.Text;
using Npgsql;

namespace EventMesh.Host.Bench;

/// <summary>The reference of the journal: the rows of the log once more, by plain SQL into a table of the same columns and indexes.</summary>
#pragma warning disable CA2100 // The texts are ours: names of tables, numbers and places of parameters.
internal static class RawInsertBenchmark
{
    private const int MaxRows = 100_000;

    /// <summary>Rows per second, each batch a durable transaction.</summary>
    public static async Task<double> RunAsync(NpgsqlDataSource source, int batchSize, CancellationToken cancellationToken)
    {
        await using NpgsqlConnection connection = await source.OpenConnectionAsync(cancellationToken);
        await ExecuteAsync(connection, "create table mesh.bench_raw (like mesh.mt_events including all)", cancellationToken);
        (string[] types, List<object[]> rows) = await ReadAsync(connection, batchSize, cancellationToken);
        // Twice, of which the second counts: the first makes the table's pages and the plans.
        await InsertAsync(connection, types, rows, batchSize, cancellationToken);
        await ExecuteAsync(connection, "truncate mesh.bench_raw", cancellationToken);
        double perSecond = await InsertAsync(connection, types, rows, batchSize, cancellationToken);
        await ExecuteAsync(connection, "drop table mesh.bench_raw", cancellationToken);
        return perSecond;
    }

    private static async Task<(string[] Types, List<object[]> Rows)> ReadAsync(NpgsqlConnection connection, int batchSize, CancellationToken cancellationToken)
    {
        await using NpgsqlCommand command = new(
            string.Create(CultureInfo.InvariantCulture, $"select * from mesh.mt_events order by seq_id limit {MaxRows / batchSize * batchSize}"), connection);
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancellationToken);
        var rows = new List<object[]>();
        string[] types = [.. Enumerable.Range(0, reader.FieldCount).Select(reader.GetDataTypeName)];
        while (await reader.ReadAsync(cancellationToken))
        {
            var row = new object[reader.FieldCount];
            reader.GetValues(row);
            rows.Add(row);
        }
        return (types, [.. rows.Take(rows.Count / batchSize * batchSize)]);
    }

    private static async Task<double> InsertAsync(
        NpgsqlConnection connection, string[] types, List<object[]> rows, int batchSize, CancellationToken cancellationToken)
    {
        await using NpgsqlCommand command = new(InsertText(types.Length, batchSize), connection);
        for (int i = 0; i < batchSize * types.Length; i++)
            command.Parameters.Add(new NpgsqlParameter { DataTypeName = types[i % types.Length] });
        long start = Stopwatch.GetTimestamp();
        for (int first = 0; first < rows.Count; first += batchSize)
        {
            for (int i = 0; i < command.Parameters.Count; i++)
                command.Parameters[i].Value = rows[first + (i / types.Length)][i % types.Length];
            if (first == 0)
                await command.PrepareAsync(cancellationToken);
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
        return rows.Count / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static string InsertText(int columns, int rows)
    {
        var text = new StringBuilder("insert into mesh.bench_raw values ");
        for (int row = 0; row < rows; row++)
        {
            text.Append(row == 0 ? "(" : ", (");
            text.AppendJoin(", ", Enumerable.Range((row * columns) + 1, columns).Select(i => $"${i}"));
            text.Append(')');
        }
        return text.ToString();
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string text, CancellationToken cancellationToken)
    {
        await using NpgsqlCommand command = new(text, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
