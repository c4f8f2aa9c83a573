using EventMesh.Dispatch;
using EventMesh.Notifications;

namespace EventMesh.Tests.Common.Nodes;

/// <summary>A node's handler of requests that ends only when its caller gives up.</summary>
public sealed class HangingRequests
{
    private readonly TaskCompletionSource _started = new();
    private readonly TaskCompletionSource _cancelled = new();
    private int _running;

    public HangingRequests(RecordingDispatcher dispatcher) => dispatcher.OnRequest = HandleAsync;

    /// <summary>Completes when the first one runs.</summary>
    public Task Started => _started.Task;

    /// <summary>Completes when the first one was told that its caller has given up.</summary>
    public Task Cancelled => _cancelled.Task;

    public int Running => Volatile.Read(ref _running);

    private async Task<ReadOnlyMemory<byte>> HandleAsync(RemoteRequest request, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _running);
        _started.TrySetResult();
        try
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
            return default;
        }
        finally
        {
            Interlocked.Decrement(ref _running);
            _cancelled.TrySetResult();
        }
    }
}
