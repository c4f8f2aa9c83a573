using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Marten.Store;
using Xunit;

namespace EventMesh.Marten.Tests.Fixture;

internal static class PostgresFixtureExtensions
{
    /// <summary>An open store over the tests' server.</summary>
    public static async Task<MartenEventStore> OpenStoreAsync(this PostgresFixture postgres, string schema)
    {
        var store = new MartenEventStore(
            new MeshStoreOptions { ConnectionString = postgres.ConnectionString, Schema = schema }, EventRegistry.Default, TimeProvider.System,
            new TestLog());
        await store.OpenAsync(new NodeId(Guid.NewGuid()), "", TestContext.Current.CancellationToken);
        return store;
    }
}
