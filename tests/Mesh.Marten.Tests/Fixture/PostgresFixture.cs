using DotNet.Testcontainers.Configurations;
using EventMesh.Identity;
using EventMesh.Marten.Embedded;
using Microsoft.Extensions.Logging.Abstractions;
using Testcontainers.PostgreSql;
using Xunit;

[assembly: AssemblyFixture(typeof(EventMesh.Marten.Tests.Fixture.PostgresFixture))]

namespace EventMesh.Marten.Tests.Fixture;

/// <summary>One PostgreSQL for all tests: in a container where a Docker engine answers, else a private cluster. Each class takes a schema of its own.</summary>
public sealed class PostgresFixture : IAsyncLifetime
{
    private readonly NodeId _node = new(Guid.NewGuid());
    private readonly TempFolder _folder = new();
    private PostgreSqlContainer? _container;
    private PrivatePostgres? _private;
    private string? _connectionString;
    private string? _missing;
    private int _schemas;

    /// <summary>The server; skips the test where there is none.</summary>
    public string ConnectionString
    {
        get
        {
            if (_connectionString is null)
                Prerequisites.Missing($"No PostgreSQL for the tests: {_missing}");
            return _connectionString!;
        }
    }

    /// <summary>A schema that nobody else has.</summary>
    public string NewSchema() => $"test_{Interlocked.Increment(ref _schemas)}";

    public async ValueTask InitializeAsync()
    {
        // Without an engine Build() throws, so it is asked first.
        if (TestcontainersSettings.OS.DockerEndpointAuthConfig is not null)
        {
            _container = new PostgreSqlBuilder("postgres:17-alpine").Build();
            await _container.StartAsync(TestContext.Current.CancellationToken);
            _connectionString = _container.GetConnectionString();
            return;
        }
        try
        {
            _private = await PrivatePostgres.StartAsync(
                _node, _folder.Path, null, TimeProvider.System, NullLoggerFactory.Instance, TestContext.Current.CancellationToken);
            _connectionString = _private.ConnectionString;
        }
        catch (MeshException exception)
        {
            _missing = exception.Message;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_container is not null)
            await _container.DisposeAsync();
        if (_private is not null)
        {
            await _private.DisposeAsync();
            await PrivatePostgres.RemoveAsync(_node, _folder.Path);
        }
        _folder.Dispose();
    }
}
