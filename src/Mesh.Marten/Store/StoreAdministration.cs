using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Marten.Embedded;
using EventMesh.Marten.Store.Internal;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace EventMesh.Marten.Store;

/// <summary>
/// Work on a store beside the nodes: makes, upgrades and compares its schema. It needs no running node and hinders none.
/// </summary>
/// <remarks>
/// One call at a time. Every task fails with <see cref="MeshException"/>: <see cref="MeshError.StoreUnavailable"/> when the server can't be reached,
/// <see cref="MeshError.StoreIncompatible"/> when the schema is not as this program can work with it.
/// </remarks>
public sealed partial class StoreAdministration : IAsyncDisposable
{
    private readonly PrivatePostgres? _server;
    private readonly NpgsqlDataSource _source;
    private readonly LogTables _tables;
    private readonly StoreSchema _schema;
    private readonly TimeProvider _time;

    private StoreAdministration(MeshStoreOptions options, string connectionString, PrivatePostgres? server, TimeProvider time)
    {
        _time = time;
        _tables = new LogTables(options.Schema);
        _server = server;
        _source = StoreSource.Build(options, connectionString, isPrivate: server is not null);
        _schema = new StoreSchema(_source, _tables);
    }

    /// <summary>The version of the schema that this program makes and understands.</summary>
    public static int CurrentVersion => StoreSchema.Current;

    /// <summary>Connects to the server that the options name, else to the private server of a data directory, which is started unless its node runs.</summary>
    /// <param name="options">The store; they have been validated.</param>
    /// <param name="node">The node of the data directory; null when it has not run yet.</param>
    /// <param name="dataDirectory">The data directory, for a private server.</param>
    /// <param name="timeProvider">The clock of waits.</param>
    /// <param name="loggerFactory">The log.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    public static async Task<StoreAdministration> OpenAsync(
        MeshStoreOptions options, NodeId? node, string dataDirectory, TimeProvider timeProvider, ILoggerFactory loggerFactory,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (!string.IsNullOrWhiteSpace(options.ConnectionString))
            return new StoreAdministration(options, options.ConnectionString, server: null, timeProvider);
        if (node is not { } known)
            throw new MeshException(
                MeshError.StoreUnavailable,
                $"'{dataDirectory}' holds no node, and no server is named. Name one (--store, EventMesh:Store:ConnectionString), or the data directory of a node that has run (--data).");
        try
        {
            PrivatePostgres server = await PrivatePostgres.StartAsync(known, dataDirectory, options.PostgresBin, timeProvider, loggerFactory, cancellationToken)
                .ConfigureAwait(false);
            return new StoreAdministration(options, server.ConnectionString, server, timeProvider);
        }
        catch (MeshException exception) when (exception.Error == MeshError.DataDirectoryLocked)
        {
            // Its node runs: the server lets in whoever the node's user is.
            return new StoreAdministration(options, PrivatePostgres.Locate(known, dataDirectory).ConnectionString, server: null, timeProvider);
        }
    }

    /// <summary>
    /// Connects once to the server that the options name, as a node would: with the password file, and to the primary of several hosts. Changes nothing.
    /// </summary>
    /// <param name="options">The store, with a connection string.</param>
    /// <param name="timeLimit">How long to wait for a connection to a host, in whole seconds.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>For people: the server's version, address and database.</returns>
    /// <remarks>
    /// The task fails with <see cref="MeshException"/>: <see cref="MeshError.StoreUnavailable"/>, <see cref="MeshError.InvalidConfiguration"/> (the password file, a connection
    /// string that is none).
    /// </remarks>
    public static async Task<string> AskServerAsync(MeshStoreOptions options, TimeSpan timeLimit, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        try
        {
            var builder = new NpgsqlConnectionStringBuilder(options.ConnectionString) { Timeout = Math.Max(1, (int)timeLimit.TotalSeconds) };
            StoreServers servers = StoreSource.Open(options, builder.ConnectionString, isPrivate: false);
            await using (servers.ConfigureAwait(false))
            {
                NpgsqlConnection connection = await servers.Primary.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
                await using (connection.ConfigureAwait(false))
                    return $"PostgreSQL {connection.PostgreSqlVersion} at {connection.Host}:{connection.Port}, database {connection.Database}";
            }
        }
        catch (ArgumentException exception)
        {
            throw new MeshException(MeshError.InvalidConfiguration, $"EventMesh:Store:ConnectionString is none: {exception.Message}", exception);
        }
        catch (Exception exception) when (exception is not (MeshException or OperationCanceledException))
        {
            throw StoreErrors.ServerUnavailable(options.ConnectionString!, exception);
        }
    }

    /// <summary>The SQL that makes the schema or upgrades it, for psql; it may run again. Needs no server.</summary>
    public static string WriteScript(MeshStoreOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return SchemaScript.Write(new LogTables(options.Schema), EventRegistry.Default);
    }

    /// <summary>Makes or upgrades the schema; of several that do so at once one does it and the others find it done.</summary>
    /// <returns>The version that the schema had, 0 when it was not there.</returns>
    public Task<int> MigrateAsync(CancellationToken cancellationToken = default) =>
        RunAsync("make or upgrade the schema", () => _schema.MigrateAsync(EventRegistry.Default, cancellationToken));

    /// <summary>Compares the schema with what this program makes. A newer schema is no failure here.</summary>
    public Task<StoreCheck> CheckAsync(CancellationToken cancellationToken = default) =>
        RunAsync("check the schema", () => _schema.CheckAsync(EventRegistry.Default, cancellationToken));

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _source.DisposeAsync().ConfigureAwait(false);
        if (_server is not null)
            await _server.DisposeAsync().ConfigureAwait(false);
    }

    private async Task<T> RunAsync<T>(string operation, Func<Task<T>> action)
    {
        try
        {
            return await action().ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is not (MeshException or OperationCanceledException))
        {
            throw _server is null && StoreErrors.Classify(exception) == MeshError.StoreUnavailable && StoreErrors.Lacks(exception) is null
                ? StoreErrors.ServerUnavailable(_source.ConnectionString, exception)
                : StoreErrors.Translate(exception, operation);
        }
    }
}
