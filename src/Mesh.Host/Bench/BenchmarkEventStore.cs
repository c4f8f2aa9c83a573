using System.Runtime.CompilerServices;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal;

namespace EventMesh.Host.Bench;

/// <summary>A store that forgets all but its position: for the benchmark's other ends, whose events nobody reads.</summary>
internal sealed class BenchmarkEventStore : IEventStore
{
    private readonly Lock _mutex = new();
    private LogPosition _position;

    public bool IsExternal => false;

    public string Name => "none";

    public Task OpenAsync(NodeId node, string dataDirectory, CancellationToken cancellationToken) => Task.CompletedTask;

    public Task<LogPosition> GetPositionAsync(NodeId node, CancellationToken cancellationToken)
    {
        lock (_mutex) return Task.FromResult(_position);
    }

    public Task ClaimEpochAsync(NodeId node, RecordedEvent started, CancellationToken cancellationToken) => AppendAsync(node, [started], cancellationToken);

    public Task AppendAsync(NodeId node, IReadOnlyList<RecordedEvent> batch, CancellationToken cancellationToken)
    {
        RecordedEvent last = batch[^1];
        lock (_mutex) _position = new LogPosition(last.Epoch, last.NodeSeq, last.Time);
        return Task.CompletedTask;
    }

    public Task<IReadOnlySet<Guid>> FindAsync(NodeId node, IReadOnlyList<Guid> ids, CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlySet<Guid>>(new HashSet<Guid>());

    public async IAsyncEnumerable<RecordedEvent> ReadAsync(
        NodeId node, long afterNodeSeq, IReadOnlySet<StreamFamily>? families, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.CompletedTask.ConfigureAwait(false);
        yield break;
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
