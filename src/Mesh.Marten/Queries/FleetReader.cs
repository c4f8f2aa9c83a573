using EventMesh.Marten.Internal;
using EventMesh.Marten.Queries.Internal;
using Microsoft.Extensions.Options;
using Npgsql;

namespace EventMesh.Marten.Queries;

/// <summary>Asks a database about its nodes without being one: for dashboards and <c>mesh fleet --store</c>. Changes nothing.</summary>
public sealed class FleetReader : IAsyncDisposable
{
    private readonly NpgsqlDataSource _source;

    private FleetReader(NpgsqlDataSource source, string schema)
    {
        _source = source;
        Queries = new FleetQueries(() => source, schema);
    }

    /// <summary>The queries.</summary>
    public IFleetQueries Queries { get; }

    /// <summary>Prepares the connection, which the first query opens.</summary>
    /// <param name="options">The server and the schema.</param>
    /// <exception cref="MeshException"><see cref="MeshError.InvalidConfiguration"/>: the connection string or the schema's name can't be used.</exception>
    public static FleetReader Create(MeshStoreOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (string.IsNullOrWhiteSpace(options.ConnectionString))
            throw new MeshException(MeshError.InvalidConfiguration, "A connection string is needed.");
        ValidateOptionsResult result = new MeshStoreOptionsValidator().Validate(null, options);
        if (result.Failed)
            throw new MeshException(MeshError.InvalidConfiguration, string.Join(' ', result.Failures));
        var builder = new NpgsqlDataSourceBuilder(options.ConnectionString);
        builder.ConnectionStringBuilder.ApplicationName ??= "eventmesh-fleet";
        builder.ConnectionStringBuilder.Pooling = false;
        return new FleetReader(builder.Build(), options.Schema);
    }

    /// <summary>Closes the connection.</summary>
    public ValueTask DisposeAsync() => _source.DisposeAsync();
}
