using System.Diagnostics;
using EventMesh.Conformance;
using EventMesh.Events;
using EventMesh.Journal;
using EventMesh.Marten.Queries;
using EventMesh.Marten.Store;
using EventMesh.Marten.Tests.Fixture;
using Npgsql;
using Shouldly;
using Xunit;

namespace EventMesh.Marten.Tests.Fleet;

/// <summary>What a database tells of all its nodes, also to a role that may read the views and nothing else.</summary>
public sealed class FleetViewsTests(PostgresFixture postgres)
{
    private readonly string _schema = postgres.NewSchema();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private FleetServer Server => new(postgres, _schema);

    [Fact]
    public async Task Each_node_is_told_with_its_place_epoch_state_and_lag()
    {
        await using MartenEventStore store = await postgres.OpenStoreAsync(_schema);
        var (up, down) = (new FleetLog(1), new FleetLog(2));
        await FillAsync(store, up, down);

        IReadOnlyList<FleetNode> nodes = await store.Fleet.GetNodesAsync(Cancellation);

        nodes.Select(node => node.Node).ShouldBe(nodes.Select(node => node.Node).OrderBy(node => node.Value.ToString("D"), StringComparer.Ordinal));
        FleetNode running = nodes.Single(node => node.Node == up.Node);
        running.ShouldBe(new FleetNode(
            up.Node, EventStoreSamples.Peer(0), "test/1.0", "running", null, 1, up.Next - 1, EventStoreSamples.Start.AddMilliseconds(up.Next - 1), 0));
        nodes.Single(node => node.Node == down.Node).State.ShouldBe("stopped");
        FleetLeader leader = (await store.Fleet.GetLeaderAsync(Cancellation)).ShouldNotBeNull();
        (leader.IsLeading, leader.ProcessId, leader.Host).ShouldBe((true, Environment.ProcessId, Environment.MachineName));
    }

    [Fact]
    public async Task A_role_for_dashboards_reads_every_view_and_no_table()
    {
        string? psql = FindPsql();
        if (psql is null)
            Prerequisites.Missing("psql runs the documented statements; it is not installed.");
        await using MartenEventStore store = await postgres.OpenStoreAsync(_schema);
        var (up, down) = (new FleetLog(1), new FleetLog(2));
        await FillAsync(store, up, down);
        string role = $"dash_{_schema}";
        await RunPsqlAsync(psql!, role);
        try
        {
            await using FleetReader reader = FleetReader.Create(new MeshStoreOptions
            {
                ConnectionString = $"{postgres.ConnectionString};Options=-c role={role}",
                Schema = _schema,
            });
            (await reader.Queries.GetNodesAsync(Cancellation)).Count.ShouldBe(2);
            IReadOnlyList<FleetPeer> peers = await reader.Queries.GetPeersAsync(Cancellation);
            peers.Count(peer => peer.Node == up.Node).ShouldBe((await store.Queries.GetPeersAsync(up.Node, null, Cancellation)).Count);
            IReadOnlyList<FleetCacheEntry> cache = await reader.Queries.GetCacheAsync(Cancellation);
            cache.Count(entry => entry.Node == down.Node).ShouldBe((await store.Queries.GetCacheAsync(down.Node, null, Cancellation)).Count);
            (await reader.Queries.GetTrustAsync(Cancellation)).ShouldHaveSingleItem().Decision.Reason.ShouldBe("it floods");
            (await reader.Queries.GetLeaderAsync(Cancellation)).ShouldNotBeNull().IsLeading.ShouldBeTrue();

            await using NpgsqlConnection connection = await Server.OpenAsync();
            List<string> relations = [];
            await using (var list = new NpgsqlCommand(
                $"select relname, relkind::text from pg_class where relnamespace = '{_schema}'::regnamespace and relkind in ('r', 'p', 'v') order by relkind, relname", connection))
            await using (NpgsqlDataReader rows = await list.ExecuteReaderAsync(Cancellation))
            {
                while (await rows.ReadAsync(Cancellation))
                    relations.Add($"{rows.GetString(1)} {rows.GetString(0)}");
            }
            relations.Count(relation => relation[0] == 'v').ShouldBeGreaterThan(8);
            await using (var set = new NpgsqlCommand($"set role {role}", connection))
                await set.ExecuteNonQueryAsync(Cancellation);
            foreach (string relation in relations)
            {
                await using var select = new NpgsqlCommand($"select count(*) from {_schema}.{relation[2..]}", connection);
                if (relation[0] == 'v')
                    await select.ExecuteScalarAsync(Cancellation);
                else
                    (await Should.ThrowAsync<PostgresException>(() => select.ExecuteScalarAsync(Cancellation), relation)).SqlState.ShouldBe("42501", relation);
            }
        }
        finally
        {
            await Server.ScalarAsync($"drop owned by {role}; drop role {role}; select 1");
        }
    }

    private static async Task FillAsync(MartenEventStore store, FleetLog up, FleetLog down)
    {
        foreach (FleetLog log in new[] { up, down })
        {
            await log.ClaimAsync(store, Cancellation);
            await log.AppendAsync(store, 80, Cancellation);
        }
        await store.AppendAsync(
            down.Node,
            EventStoreSamples.Record(1, down.Next, new PeerBlocked(EventStoreSamples.Peer(5), "it floods", null, "root"), new NodeStopped("done")),
            Cancellation);
        down.Skip(2);
        await up.WaitAsync(store);
        await down.WaitAsync(store);
    }

    private async Task RunPsqlAsync(string psql, string role)
    {
        NpgsqlConnectionStringBuilder server = new(postgres.ConnectionString);
        var info = new ProcessStartInfo(
            psql, ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-v", $"role={role}", "-v", $"schema={_schema}", "-f", Path.Combine(AppContext.BaseDirectory, "sql", "dashboard-role.sql")])
        {
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        info.Environment["PGHOST"] = server.Host;
        info.Environment["PGPORT"] = $"{server.Port}";
        info.Environment["PGUSER"] = server.Username;
        info.Environment["PGPASSWORD"] = server.Password ?? "";
        info.Environment["PGDATABASE"] = server.Database;
        using Process process = Process.Start(info)!;
        string error = await process.StandardError.ReadToEndAsync(Cancellation);
        await process.WaitForExitAsync(Cancellation);
        process.ExitCode.ShouldBe(0, error);
    }

    private static string? FindPsql() =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')
            .Concat(Directory.Exists("/usr/lib/postgresql") ? Directory.GetDirectories("/usr/lib/postgresql").Select(version => Path.Combine(version, "bin")) : [])
            .Select(folder => Path.Combine(folder, "psql")).FirstOrDefault(File.Exists);
}
