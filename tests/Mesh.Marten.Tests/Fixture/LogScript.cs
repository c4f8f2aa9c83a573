using EventMesh.Conformance;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Marten.Queries;
using EventMesh.Marten.Store;
using Npgsql;
using Xunit;

namespace EventMesh.Marten.Tests.Fixture;

/// <summary>Writes a node's log from its beginning and waits for the projections.</summary>
internal sealed class LogScript(MartenEventStore store, NodeId node)
{

    public List<RecordedEvent> Events { get; } = [];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Appends events in one batch; before the first, the log is taken over.</summary>
    public async Task<RecordedEvent[]> AppendAsync(params IMeshEvent[] events)
    {
        if (Events.Count == 0)
        {
            RecordedEvent started = EventStoreSamples.Record(1, 1, EventStoreSamples.Started(node))[0];
            await store.ClaimEpochAsync(node, started, Cancellation);
            Events.Add(started);
        }
        RecordedEvent[] batch = EventStoreSamples.Record(1, Events.Count + 1, events);
        await store.AppendAsync(node, batch, Cancellation);
        Events.AddRange(batch);
        return batch;
    }

    /// <summary>Waits until all projections have folded the whole log.</summary>
    public Task FoldedAsync() => Eventually.FoldedAsync(store, node);

    /// <summary>Runs SQL that a query of ours would not.</summary>
    public static async Task ExecuteAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString + ";Pooling=false");
        await connection.OpenAsync(Cancellation);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Cancellation);
    }
}
