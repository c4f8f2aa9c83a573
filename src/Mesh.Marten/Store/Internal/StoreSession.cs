using EventMesh.Journal;
using EventMesh.Marten.Projections.Internal;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace EventMesh.Marten.Store.Internal;

/// <summary>An open store: connections and the projections, from open to close.</summary>
internal sealed class StoreSession : IAsyncDisposable
{
    private readonly ProjectionRunner _runner;
    private readonly ILogger _logger;

    private StoreSession(NpgsqlDataSource source, LogTables tables, EventRegistry registry, TimeProvider time, ILoggerFactory loggerFactory)
    {
        _logger = loggerFactory.CreateLogger("EventMesh.Store");
        Source = source;
        Tables = tables;
        Reader = new LogReader(tables, registry);
        Projections = LogProjection.All(source, tables, Reader);
        _runner = new ProjectionRunner(source, tables, Projections, time, _logger);
        Writer = new LogWriter(source, tables, Reader, registry);
    }

    public NpgsqlDataSource Source { get; }

    public LogTables Tables { get; }

    public LogReader Reader { get; }

    public LogWriter Writer { get; }

    public IReadOnlyList<LogProjection> Projections { get; }

    /// <summary>For people: the server's version.</summary>
    public string Server { get; private set; } = "";

    /// <summary>For people: the server's address, without secrets.</summary>
    public string Host { get; private set; } = "";

    public static async Task<StoreSession> OpenAsync(
        string connectionString, bool isPrivate, string schema, EventRegistry registry, TimeProvider time, ILoggerFactory loggerFactory,
        CancellationToken cancellationToken)
    {
        var builder = new NpgsqlDataSourceBuilder(connectionString);
        builder.ConnectionStringBuilder.ApplicationName ??= "eventmesh";
        if (isPrivate)
        {
            builder.ConnectionStringBuilder.MaxPoolSize = 20;
            builder.ConnectionStringBuilder.Timeout = 5;
        }
        NpgsqlDataSource source = builder.Build();
        StoreSession? session = null;
        try
        {
            session = new StoreSession(source, new LogTables(schema), registry, time, loggerFactory);
            var tables = new StoreSchema(source, session.Tables);
            if (!await tables.IsCurrentAsync(cancellationToken).ConfigureAwait(false))
            {
                long start = time.GetTimestamp();
                await tables.MigrateAsync(registry, cancellationToken).ConfigureAwait(false);
                TimeSpan elapsed = time.GetElapsedTime(start);
                Log.SchemaMade(session._logger, schema, StoreSchema.Current, elapsed);
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
                await source.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _runner.DisposeAsync().ConfigureAwait(false);
        await Source.DisposeAsync().ConfigureAwait(false);
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
