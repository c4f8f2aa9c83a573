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

    public static NpgsqlBatchCommand BatchCommand(string text, params object?[] values)
    {
        var command = new NpgsqlBatchCommand(text);
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

    private static void Add(NpgsqlParameterCollection parameters, object?[] values)
    {
        foreach (object? value in values)
            parameters.Add(value as NpgsqlParameter ?? new NpgsqlParameter { Value = value ?? DBNull.Value });
    }
}
