using Npgsql;
using NpgsqlTypes;

namespace EventMesh.Marten.Store.Internal;

/// <summary>Commands with positional parameters. The only variable part of their text is the schema's name, which the options' validator has checked.</summary>
internal static class Sql
{
    /// <summary>How many rows are cheaper to insert one by one, in one round trip, than by COPY, which takes two and is planned each time.</summary>
    private const int FewRows = 16;

#pragma warning disable CA2100 // See above.
    public static NpgsqlCommand Command(NpgsqlConnection connection, string text, params object?[] values)
    {
        var command = new NpgsqlCommand(text, connection);
        Add(command.Parameters, values);
        return command;
    }
#pragma warning restore CA2100

    /// <summary>Runs a command; the rows that it changed.</summary>
    public static async Task<int> ExecuteAsync(
        NpgsqlConnection connection, string text, CancellationToken cancellationToken, params object?[] values)
    {
        NpgsqlCommand command = Command(connection, text, values);
        await using (command.ConfigureAwait(false))
            return await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Runs a command without a limit of time: its work grows with the log, or it waits for another process that does such work.</summary>
    public static async Task ExecuteLongAsync(NpgsqlConnection connection, string text, CancellationToken cancellationToken)
    {
        NpgsqlCommand command = Command(connection, text);
        command.CommandTimeout = 0;
        await using (command.ConfigureAwait(false))
            await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// A command that its connection keeps prepared: for what is asked with each append, whose planning takes longer than its execution. Not for a page of the log: for one plan
    /// of all ranges the server may read and sort the whole log.
    /// </summary>
    public static async Task<NpgsqlCommand> PrepareAsync(
        NpgsqlConnection connection, string text, CancellationToken cancellationToken, params object?[] values)
    {
        NpgsqlCommand command = Command(connection, text, values);
        await command.PrepareAsync(cancellationToken).ConfigureAwait(false);
        return command;
    }

    /// <summary>Runs a command that its connection keeps prepared.</summary>
    public static async Task<int> ExecutePreparedAsync(
        NpgsqlConnection connection, string text, CancellationToken cancellationToken, params object?[] values)
    {
        NpgsqlCommand command = await PrepareAsync(connection, text, cancellationToken, values).ConfigureAwait(false);
        await using (command.ConfigureAwait(false))
            return await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The first value of the first row, which has to be there, of a command that its connection keeps prepared.</summary>
    public static async Task<T> ScalarPreparedAsync<T>(
        NpgsqlConnection connection, string text, CancellationToken cancellationToken, params object?[] values)
    {
        NpgsqlCommand command = await PrepareAsync(connection, text, cancellationToken, values).ConfigureAwait(false);
        await using (command.ConfigureAwait(false))
            return (T)(await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false))!;
    }

    /// <summary>The first value of the first row, which has to be there.</summary>
    public static async Task<T> ScalarAsync<T>(
        NpgsqlConnection connection, string text, CancellationToken cancellationToken, params object?[] values)
    {
        NpgsqlCommand command = Command(connection, text, values);
        await using (command.ConfigureAwait(false))
            return (T)(await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false))!;
    }

    /// <summary>All rows.</summary>
    public static async Task<List<T>> QueryAsync<T>(NpgsqlCommand command, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken)
    {
        var rows = new List<T>();
        await using (command.ConfigureAwait(false))
        {
            NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
            await using (reader.ConfigureAwait(false))
            {
                while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
                    rows.Add(read(reader));
            }
        }
        return rows;
    }

    /// <summary>Adds rows in the transaction that the connection is in, a few by INSERT and many by COPY.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="table">The table, qualified.</param>
    /// <param name="columns">The columns with their types as PostgreSQL names them.</param>
    /// <param name="rows">What is added.</param>
    /// <param name="values">The values of a row's columns, asked for one row after another: those of thousands would outlive several garbage collections.</param>
    /// <param name="cancellationToken">Gives up; nothing is added then.</param>
    public static Task AddAsync<T>(
        NpgsqlConnection connection, string table, IReadOnlyList<(string Name, string Type)> columns, IReadOnlyCollection<T> rows, Func<T, object?[]> values,
        CancellationToken cancellationToken) => rows.Count switch
        {
            0 => Task.CompletedTask,
            <= FewRows => InsertAsync(connection, table, columns, rows.Select(values), cancellationToken),
            _ => CopyAsync(connection, table, columns, rows.Select(values), cancellationToken),
        };

    private static async Task InsertAsync(
        NpgsqlConnection connection, string table, IReadOnlyList<(string Name, string Type)> columns, IEnumerable<object?[]> rows,
        CancellationToken cancellationToken)
    {
        string text =
            $"insert into {table} ({string.Join(", ", columns.Select(column => column.Name))}) values ({string.Join(", ", columns.Select((_, i) => $"${i + 1}"))})";
        var batch = new NpgsqlBatch(connection);
        await using (batch.ConfigureAwait(false))
        {
            foreach (object?[] row in rows)
            {
                var command = new NpgsqlBatchCommand(text);
                for (int i = 0; i < row.Length; i++)
                    command.Parameters.Add(new NpgsqlParameter { Value = row[i] ?? DBNull.Value, DataTypeName = columns[i].Type });
                batch.BatchCommands.Add(command);
            }
            await batch.PrepareAsync(cancellationToken).ConfigureAwait(false);
            await batch.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private static async Task CopyAsync(
        NpgsqlConnection connection, string table, IReadOnlyList<(string Name, string Type)> columns, IEnumerable<object?[]> rows,
        CancellationToken cancellationToken)
    {
        string names = string.Join(", ", columns.Select(column => column.Name));
        NpgsqlBinaryImporter copy = await connection.BeginBinaryImportAsync($"copy {table} ({names}) from stdin (format binary)", cancellationToken)
            .ConfigureAwait(false);
        await using (copy.ConfigureAwait(false))
        {
            foreach (object?[] row in rows)
            {
                await copy.StartRowAsync(cancellationToken).ConfigureAwait(false);
                for (int i = 0; i < row.Length; i++)
                {
                    // By its own type where it is a frequent one: of an object the type is looked up for each value.
                    string type = columns[i].Type;
                    Task writing = row[i] switch
                    {
                        null => copy.WriteNullAsync(cancellationToken),
                        string text => copy.WriteAsync(text, type, cancellationToken),
                        long number => copy.WriteAsync(number, type, cancellationToken),
                        Guid id => copy.WriteAsync(id, type, cancellationToken),
                        DateTimeOffset time => copy.WriteAsync(time, type, cancellationToken),
                        NpgsqlRange<DateTimeOffset> range => copy.WriteAsync(range, type, cancellationToken),
                        { } value => copy.WriteAsync(value, type, cancellationToken),
                    };
                    await writing.ConfigureAwait(false);
                }
            }
            await copy.CompleteAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private static void Add(NpgsqlParameterCollection parameters, object?[] values)
    {
        foreach (object? value in values)
            parameters.Add(value as NpgsqlParameter ?? new NpgsqlParameter { Value = value ?? DBNull.Value });
    }
}
