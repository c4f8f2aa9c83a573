using System.Globalization;
using EventMesh.Conformance;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Marten.Queries;
using EventMesh.Marten.Store;
using EventMesh.Marten.Tests.Fixture;
using Npgsql;
using Xunit;

namespace EventMesh.Marten.Tests.Projections;

/// <summary>A store over a schema of its own for each test, and logs in it to write and to read with plain SQL.</summary>
public abstract class ProjectionTestBase(PostgresFixture postgres) : IAsyncLifetime
{
    private readonly Dictionary<NodeId, long> _next = [];

    protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    protected NodeId Node { get; } = new(Guid.NewGuid());

    protected string Schema { get; private set; } = "";

    protected MartenEventStore Store { get; set; } = null!;

    protected PostgresFixture Postgres => postgres;

    public virtual async ValueTask InitializeAsync()
    {
        Schema = postgres.NewSchema();
        Store = await postgres.OpenStoreAsync(Schema);
    }

    public virtual async ValueTask DisposeAsync()
    {
        await Store.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>Appends events; the log of a node that has none begins with its start.</summary>
    protected async Task<RecordedEvent[]> AppendAsync(NodeId node, params IMeshEvent[] events)
    {
        RecordedEvent[] started = _next.ContainsKey(node) ? [] : await StartAsync(node, epoch: 1, EventStoreSamples.Peer(0));
        if (events.Length == 0)
            return started;
        RecordedEvent[] batch = EventStoreSamples.Record(1, _next[node], events);
        await Store.AppendAsync(node, batch, Cancellation);
        _next[node] += batch.Length;
        return [.. started, .. batch];
    }

    /// <summary>Lets a process take the log of a node over; later events are recorded as if by the first.</summary>
    protected async Task<RecordedEvent[]> StartAsync(NodeId node, int epoch, PeerId identity)
    {
        RecordedEvent[] started = EventStoreSamples.Record(epoch, _next.GetValueOrDefault(node, 1), EventStoreSamples.Started(node) with { Peer = identity });
        await Store.ClaimEpochAsync(node, started[0], Cancellation);
        _next[node] = started[0].NodeSeq + 1;
        return started;
    }

    protected async Task AppendAsync(NodeId node, RecordedEvent[] batch)
    {
        await Store.AppendAsync(node, batch, Cancellation);
        _next[node] = batch[^1].NodeSeq + 1;
    }

    protected long NextOf(NodeId node) => _next[node];

    /// <summary>Until the projections have come to the end of a node's log.</summary>
    protected Task WaitAsync(NodeId node, params string[] except) => Eventually.FoldedAsync(Store, node, except);

    /// <summary>The rows of a query, each as text with a bar between the columns; <c>{schema}</c> stands for the schema.</summary>
    protected async Task<List<string>> QueryAsync(string sql)
    {
        await using NpgsqlConnection connection = await ConnectAsync();
#pragma warning disable CA2100 // The test's own text.
        await using var command = new NpgsqlCommand(sql.Replace("{schema}", Schema, StringComparison.Ordinal), connection);
#pragma warning restore CA2100
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(Cancellation);
        var rows = new List<string>();
        while (await reader.ReadAsync(Cancellation))
            rows.Add(string.Join('|', Enumerable.Range(0, reader.FieldCount).Select(i => Text(reader.GetValue(i)))));
        return rows;
    }

    protected async Task ExecuteAsync(string sql) => await QueryAsync(sql);

    protected async Task<NpgsqlConnection> ConnectAsync()
    {
        var connection = new NpgsqlConnection(postgres.ConnectionString + ";Pooling=false");
        await connection.OpenAsync(Cancellation);
        return connection;
    }

    private static string Text(object value) => value switch
    {
        DBNull => "-",
        DateTime time => time.ToString("O", CultureInfo.InvariantCulture),
        string[] texts => string.Join(',', texts),
        byte[] bytes => Convert.ToHexString(bytes),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
    };
}
