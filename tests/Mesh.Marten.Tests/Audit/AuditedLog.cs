using EventMesh.Conformance;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Marten.Audit;
using EventMesh.Marten.Store;
using EventMesh.Marten.Tests.Fixture;
using EventMesh.Trust;
using EventMesh.Trust.Internal;
using Npgsql;
using Shouldly;
using Xunit;

namespace EventMesh.Marten.Tests.Audit;

/// <summary>A node's log with its key, and somebody who changes it behind the node's back.</summary>
internal sealed class AuditedLog : IAsyncDisposable
{
    private readonly TempFolder _folder = new();
    private readonly PostgresFixture _postgres;
    private readonly string _schema;
    private readonly NodeIdentity _identity;
    private int _epoch;
    private long _last;

    private AuditedLog(PostgresFixture postgres, string schema, MartenEventStore store)
    {
        (_postgres, _schema, Store) = (postgres, schema, store);
        _identity = NodeIdentity.LoadOrCreate(_folder.Path, TimeProvider.System);
    }

    public MartenEventStore Store { get; }

    public NodeId Node => _identity.Node;

    public NodeIdentity Identity => _identity;

    public string Schema => _schema;

    public long Last => _last;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>A new log, in a schema of its own or beside others.</summary>
    public static async Task<AuditedLog> OpenAsync(PostgresFixture postgres, string? schema = null)
    {
        schema ??= postgres.NewSchema();
        return new AuditedLog(postgres, schema, await postgres.OpenStoreAsync(schema));
    }

    /// <summary>A log of two processes with every type of event but those of the audit itself.</summary>
    public async Task FillAsync()
    {
        IMeshEvent[] events = [.. EventStoreSamples.EveryType(Node).Where(data => data is not (NodeStarted or LogSealed or PeerErased or IdentityRotated))];
        await StartAsync();
        await AppendAsync(events);
        await StartAsync();
        await AppendAsync(events.Where(data => data is not ConnectionOpened));
    }

    public async Task StartAsync()
    {
        _epoch++;
        await Store.ClaimEpochAsync(Node, EventStoreSamples.Record(_epoch, ++_last, new NodeStarted(Node, _identity.Peer, Guid.NewGuid(), PeerKind.Node, "test/1", "memory"))[0], Cancellation);
    }

    public async Task<long> AppendAsync(params IEnumerable<IMeshEvent> events)
    {
        RecordedEvent[] batch = EventStoreSamples.Record(_epoch, _last + 1, events);
        await Store.AppendAsync(Node, batch, Cancellation);
        return _last = batch[^1].NodeSeq;
    }

    /// <summary>Announces events to the store, and appends these or others in their place.</summary>
    public async Task AnnounceAsync(IReadOnlyList<IMeshEvent> events, IReadOnlyList<IMeshEvent>? others = null)
    {
        RecordedEvent[] announced = EventStoreSamples.Record(_epoch, _last + 1, events);
        Store.Prepare(Node, announced);
        RecordedEvent[] batch = others is null ? announced : EventStoreSamples.Record(_epoch, _last + 1, others);
        await Store.AppendAsync(Node, batch, Cancellation);
        _last = batch[^1].NodeSeq;
    }

    public async Task<LogHead> HeadAsync() => (await Store.GetHeadAsync(Node, Cancellation)).ShouldNotBeNull();

    /// <summary>Seals the log as it is; the place of the seal.</summary>
    public async Task<long> SealAsync()
    {
        SignedHead head = LogSeal.Sign(_identity, await HeadAsync());
        return await AppendAsync(new LogSealed(head.Place, head.Hash, head.PublicKey, head.Signature));
    }

    /// <summary>The audit, once the projections have followed.</summary>
    public async Task<AuditReport> VerifyAsync(SignedHead? head = null)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        limit.CancelAfter(TimeSpan.FromMinutes(2));
        return await Store.Audit.VerifyAsync(Node, head, limit.Token);
    }

    public Task WaitForProjectionsAsync() =>
        Eventually.IsTrueAsync(async token => (await Store.Queries.GetProjectionsAsync(Node, token)).All(projection => projection.NodeSeq >= _last));

    /// <summary>Changes the database; <c>{s}</c> is the schema, <c>{e}</c> Marten's events of this node at place $1.</summary>
    public async Task<int> TamperAsync(string sql, params object[] values)
    {
        await using var connection = new NpgsqlConnection(_postgres.ConnectionString);
        await connection.OpenAsync(Cancellation);
        string text = sql.Replace("{s}", _schema, StringComparison.Ordinal)
            .Replace("{at}", $"tenant_id = '{Node}' and (headers ->> 'seq')::bigint", StringComparison.Ordinal)
            .Replace("{node}", $"'{Node}'", StringComparison.Ordinal);
        await using var command = new NpgsqlCommand(text, connection);
        foreach (object value in values)
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        return await command.ExecuteNonQueryAsync(Cancellation);
    }

    public async Task<T> ScalarAsync<T>(string sql)
    {
        await using var connection = new NpgsqlConnection(_postgres.ConnectionString);
        await connection.OpenAsync(Cancellation);
        await using var command = new NpgsqlCommand(sql.Replace("{s}", _schema, StringComparison.Ordinal).Replace("{node}", $"'{Node}'", StringComparison.Ordinal), connection);
        return (T)(await command.ExecuteScalarAsync(Cancellation))!;
    }

    public async ValueTask DisposeAsync()
    {
        await Store.DisposeAsync();
        _identity.Dispose();
        _folder.Dispose();
    }
}
