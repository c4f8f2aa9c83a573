using Npgsql;

namespace EventMesh.Marten.Store.Internal;

/// <summary>Commands with positional parameters. The only variable part of their text is the schema's name, which the options' validator has checked.</summary>
internal static class Sql
{
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

    /// <summary>Adds rows by COPY, in the transaction that the connection is in.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="table">The table, qualified.</param>
    /// <param name="columns">The columns with their types as PostgreSQL names them.</param>
    /// <param name="rows">The values of the columns.</param>
    /// <param name="cancellationToken">Gives up; nothing is added then.</param>
    public static async Task CopyAsync(
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
                    if (row[i] is { } value)
                        await copy.WriteAsync(value, columns[i].Type, cancellationToken).ConfigureAwait(false);
                    else
                        await copy.WriteNullAsync(cancellationToken).ConfigureAwait(false);
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
