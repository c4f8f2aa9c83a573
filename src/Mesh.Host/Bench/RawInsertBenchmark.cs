using System.Diagnostics;
using System.Globalization;
using System.Text;
using Npgsql;

namespace EventMesh.Host.Bench;

/// <summary>The reference of the journal: the rows of the log once more, by plain SQL into a table of the same columns and indexes.</summary>
#pragma warning disable CA2100 // The texts are ours: names of tables, numbers and places of parameters.
internal sealed class RawInsertBenchmark : IAsyncDisposable
{
    private const int MaxRows = 100_000;

    private readonly NpgsqlConnection _connection;
    private readonly int _batchSize;
    private readonly string[] _types;
    private readonly List<object[]> _rows;

    private RawInsertBenchmark(NpgsqlConnection connection, int batchSize, string[] types, List<object[]> rows)
    {
        _connection = connection;
        _batchSize = batchSize;
        _types = types;
        _rows = rows;
    }

    /// <summary>Reads the rows, makes the table and inserts once, which does not count.</summary>
    public static async Task<RawInsertBenchmark> CreateAsync(NpgsqlDataSource source, int batchSize, CancellationToken cancellationToken)
    {
        NpgsqlConnection connection = await source.OpenConnectionAsync(cancellationToken);
        await ExecuteAsync(connection, "create table mesh.bench_raw (like mesh.mt_events including all)", cancellationToken);
        (string[] types, List<object[]> rows) = await ReadAsync(connection, batchSize, cancellationToken);
        var benchmark = new RawInsertBenchmark(connection, batchSize, types, rows);
        await benchmark.InsertAsync(cancellationToken);
        return benchmark;
    }

    /// <summary>Rows per second into the emptied table, each batch a durable transaction.</summary>
    public async Task<double> InsertAsync(CancellationToken cancellationToken)
    {
        await ExecuteAsync(_connection, "truncate mesh.bench_raw", cancellationToken);
        await using NpgsqlCommand command = new(InsertText(_types.Length, _batchSize), _connection);
        for (int i = 0; i < _batchSize * _types.Length; i++)
            command.Parameters.Add(new NpgsqlParameter { DataTypeName = _types[i % _types.Length] });
        long start = Stopwatch.GetTimestamp();
        for (int first = 0; first < _rows.Count; first += _batchSize)
        {
            for (int i = 0; i < command.Parameters.Count; i++)
                command.Parameters[i].Value = _rows[first + (i / _types.Length)][i % _types.Length];
            if (first == 0)
                await command.PrepareAsync(cancellationToken);
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
        return _rows.Count / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    public async ValueTask DisposeAsync()
    {
        // The table goes with the server.
        await _connection.DisposeAsync();
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
