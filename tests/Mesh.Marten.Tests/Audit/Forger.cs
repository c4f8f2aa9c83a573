using EventMesh.Journal.Internal;
using EventMesh.Marten.Audit.Internal;
using EventMesh.Marten.Store.Internal;
using EventMesh.Marten.Tests.Fixture;
using Npgsql;
using Xunit;

namespace EventMesh.Marten.Tests.Audit;

/// <summary>Somebody who may write all of the database and knows the chain, but has not the node's key.</summary>
internal static class Forger
{
    /// <summary>Makes a chain over the log as it is now.</summary>
    public static async Task ChainAnewAsync(PostgresFixture postgres, AuditedLog log)
    {
        await using var connection = new NpgsqlConnection(postgres.ConnectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        var chain = new LogChain(new LogTables(log.Schema));
        byte[] link = EventChain.Start.ToArray();
        foreach (AuditRow row in await chain.ReadPageAsync(connection, log.Node, 0, long.MaxValue, TestContext.Current.CancellationToken))
        {
            link = EventChain.Link(link, row.Digest(log.Node));
            await log.TamperAsync("update {s}.mt_events set headers = headers || jsonb_build_object('hash', $2) where {at} = $1", row.Place, Convert.ToBase64String(link));
        }
        await log.TamperAsync("update {s}.node_log set hash = $1 where tenant_id = {node}", link);
    }

    /// <summary>Changes an event and calls it an erasure.</summary>
    public static async Task EraseAsync(PostgresFixture postgres, AuditedLog log, long place, string data, long by)
    {
        await using var connection = new NpgsqlConnection(postgres.ConnectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        var chain = new LogChain(new LogTables(log.Schema));
        AuditRow row = (await chain.ReadPageAsync(connection, log.Node, place - 1, place, TestContext.Current.CancellationToken))[0];
        byte[] content = System.Text.Encoding.UTF8.GetBytes(data);
        await log.TamperAsync(
            """
            update {s}.mt_events set data = $2::jsonb, headers = headers || jsonb_build_object('was', $3)
                || jsonb_build_object('erased', jsonb_build_array(jsonb_build_object('by', $4, 'digest', $5)))
            where {at} = $1
            """,
            place, data, Convert.ToBase64String(row.Digest(log.Node)), by, Convert.ToBase64String((row with { Data = content }).Digest(log.Node)));
    }
}
