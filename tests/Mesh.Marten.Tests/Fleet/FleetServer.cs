using EventMesh.Marten.Tests.Fixture;
using Npgsql;
using Xunit;

namespace EventMesh.Marten.Tests.Fleet;

/// <summary>What the server says of who leads, in a schema.</summary>
internal sealed class FleetServer(PostgresFixture postgres, string schema)
{

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Waits for a leader that fulfils a condition.</summary>
    public Task<Leader> WaitForLeaderAsync(Func<Leader, bool> condition) => Eventually.FindsAsync(_ => FindLeaderAsync(), condition);

    public async Task CutAsync(Leader leader) => await ScalarAsync($"select pg_terminate_backend({leader.Backend})");

    /// <summary>All rows of all versions of everything the projections hold.</summary>
    public async Task<string> DigestAsync()
    {
        string digest = "";
        foreach (string view in new[] { "bootstrap_cache_history", "peer_directory_history", "connection_history" })
            digest += $"{view}: " + await ScalarAsync($"select count(*) || ' ' || md5(string_agg(v::text, '|' order by v::text)) from {schema}.{view} v") + "\n";
        return digest;
    }

    public async Task<object> ScalarAsync(string sql)
    {
        await using NpgsqlConnection connection = await OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return (await command.ExecuteScalarAsync(Cancellation))!;
    }

    public async Task<NpgsqlConnection> OpenAsync()
    {
        var connection = new NpgsqlConnection(postgres.ConnectionString + ";Pooling=false;Application Name=test");
        await connection.OpenAsync(Cancellation);
        return connection;
    }

    private async Task<Leader?> FindLeaderAsync()
    {
        await using NpgsqlConnection connection = await OpenAsync();
        await using var command = new NpgsqlCommand($"select term, process_id, backend from {schema}.projection_leader where is_leading", connection);
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(Cancellation);
        return await reader.ReadAsync(Cancellation) ? new Leader(reader.GetInt64(0), reader.GetInt32(1), reader.GetInt32(2)) : null;
    }

    internal sealed record Leader(long Term, int Process, int Backend);
}
