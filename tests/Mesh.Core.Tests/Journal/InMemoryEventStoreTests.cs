using EventMesh.Conformance;
using EventMesh.Journal;
using EventMesh.Tests.Common.Journal;

namespace EventMesh.Core.Tests.Journal;

/// <summary>The journal's tests are worth as much as their store: it keeps the contract that PostgreSQL keeps.</summary>
public sealed class InMemoryEventStoreTests : EventStoreConformanceTests
{
    protected override async Task<IEventStore> CreateStoreAsync()
    {
        var store = new InMemoryEventStore();
        await store.OpenAsync(Node, dataDirectory: "", Cancellation);
        return store;
    }
}
