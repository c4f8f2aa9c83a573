using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Marten.Projections.Internal;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace EventMesh.Marten.Store.Internal;

/// <summary>An open store: connections and the projections, from open to close.</summary>
internal sealed class StoreSession : IAsyncDisposable
{
    private readonly StoreServers _servers;
    private readonly ProjectionRunner _runner;
    private readonly ILogger _logger;

    private StoreSession(StoreServers servers, LogTables tables, NodeId node, EventRegistry registry, TimeProvider time, ILoggerFactory loggerFactory)
    {
        _logger = loggerFactory.CreateLogger("EventMesh.Store");
        _servers = servers;
        NpgsqlDataSource source = servers.Primary;
        Source = source;
        QuerySource = servers.Queries;
        Tables = tables;
        Reader = new LogReader(tables, registry);
        Projections = LogProjection.All(source, tables, Reader);
        var pressure = new AppendPressure(time);
        _runner = new ProjectionRunner(source, tables, node, servers.Folds, Reader, Projections, pressure, time, _logger);
        Writer = new LogWriter(source, tables, Reader, registry, pressure);
    }

    public NpgsqlDataSource Source { get; }

    /// <summary>Where queries go: a standby may be behind, and answers what it has.</summary>
    public NpgsqlDataSource QuerySource { get; }

    public LogTables Tables { get; }

    public LogReader Reader { get; }

    public LogWriter Writer { get; }

    public IReadOnlyList<LogProjection> Projections { get; }

    public ProjectionRunner Runner => _runner;

    /// <summary>For people: the server's version.</summary>
    public string Server { get; private set; } = "";

    /// <summary>For people: the server's address, without secrets.</summary>
    public string Host { get; private set; } = "";

    public static async Task<StoreSession> OpenAsync(
        MeshStoreOptions options, string connectionString, bool isPrivate, NodeId node, EventRegistry registry, TimeProvider time, ILoggerFactory loggerFactory,
        CancellationToken cancellationToken)
    {
        StoreServers servers = StoreSource.Open(options, connectionString, isPrivate);
        StoreSession? session = null;
        try
        {
            session = new StoreSession(servers, new LogTables(options.Schema), node, registry, time, loggerFactory);
            var tables = new StoreSchema(servers.Primary, session.Tables);
            int version = await tables.GetVersionAsync(cancellationToken).ConfigureAwait(false);
            if (version != StoreSchema.Current)
            {
                if (!options.AutoMigrate)
                    throw tables.Refuse(version);
                long start = time.GetTimestamp();
                await tables.MigrateAsync(registry, cancellationToken).ConfigureAwait(false);
                TimeSpan elapsed = time.GetElapsedTime(start);
                Log.SchemaMade(session._logger, options.Schema, StoreSchema.Current, elapsed);
            }
            await session.DescribeAsync(cancellationToken).ConfigureAwait(false);
            session._runner.Start();
            return session;
        }
        catch
        {
            if (session is not null)
                await session.DisposeAsync().ConfigureAwait(false);
            else
                await servers.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _runner.DisposeAsync().ConfigureAwait(false);
        await _servers.DisposeAsync().ConfigureAwait(false);
    }

    private async Task DescribeAsync(CancellationToken cancellationToken)
    {
        NpgsqlConnection connection = await Source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            Server = connection.ServerVersion;
            Host = connection.Host ?? "";
        }
    }
}
