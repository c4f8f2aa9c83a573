using EventMesh.Tests.Common.Nodes;
using Shouldly;
using Xunit;

namespace EventMesh.Core.Tests.Nodes;

/// <summary>Requests and their cancellation.</summary>
public sealed partial class MeshNodeTests
{
    [Fact]
    public async Task A_request_is_answered()
    {
        (TestNode a, TestNode b) = await PairAsync();
        await using TestNode _ = a, __ = b;
        b.Dispatcher.OnRequest = (request, _) => Task.FromResult<ReadOnlyMemory<byte>>(request.Payload.ToArray().Reverse().ToArray());

        ReadOnlyMemory<byte> response = await a.Mesh.RequestAsync(b.Id, "echo", new byte[] { 1, 2, 3 }).WaitAsync(TimeSpan.FromMinutes(2));

        response.ToArray().ShouldBe([3, 2, 1]);
    }

    [Fact]
    public async Task A_request_that_nobody_handles_fails_with_the_reason()
    {
        (TestNode a, TestNode b) = await PairAsync();
        await using TestNode _ = a, __ = b;
        b.Dispatcher.OnRequest = (_, _) => Task.FromException<ReadOnlyMemory<byte>>(new MeshException(MeshError.NoHandler, "nobody"));

        MeshException error = await Should.ThrowAsync<MeshException>(() => a.Mesh.RequestAsync(b.Id, "x", default));

        error.Error.ShouldBe(MeshError.NoHandler);
    }

    [Fact]
    public async Task Requests_beyond_the_limit_are_answered_busy()
    {
        await using TestNode a = await StartAsync();
        await using TestNode b = await StartAsync(o => o.Limits.MaxRunningRequests = 1);
        await a.ConnectAsync(b);
        await b.WhenJoinedAsync(a);
        var started = new TaskCompletionSource();
        var release = new TaskCompletionSource<ReadOnlyMemory<byte>>();
        b.Dispatcher.OnRequest = (_, _) =>
        {
            started.TrySetResult();
            return release.Task;
        };

        Task<ReadOnlyMemory<byte>> first = a.Mesh.RequestAsync(b.Id, "x", default);
        await started.Task.WaitAsync(TimeSpan.FromMinutes(2));
        MeshException error = await Should.ThrowAsync<MeshException>(() => a.Mesh.RequestAsync(b.Id, "x", default));
        release.SetResult(new byte[] { 1 });

        error.Error.ShouldBe(MeshError.Busy);
        (await first).Length.ShouldBe(1);
    }

    [Fact]
    public async Task Cancelled_requests_give_their_places_back()
    {
        await using TestNode a = await StartAsync();
        const int limit = 2;
        await using TestNode b = await StartAsync(o => o.Limits.MaxRunningRequests = limit);
        await a.ConnectAsync(b);
        await b.WhenJoinedAsync(a);
        for (int i = 0; i < 3 * limit; i++)
        {
            var handler = new HangingRequests(b.Dispatcher);
            using var cancellation = new CancellationTokenSource();
            Task<ReadOnlyMemory<byte>> request = a.Mesh.RequestAsync(b.Id, "x", default, cancellation.Token);
            using var timer = new CancellationTokenSource(TimeSpan.FromMinutes(2));
            // A place comes back a moment after its cancellation: until then the answer is Busy.
            while (await Task.WhenAny(handler.Started, request).WaitAsync(timer.Token) == request)
            {
                (await Should.ThrowAsync<MeshException>(() => request)).Error.ShouldBe(MeshError.Busy);
                request = a.Mesh.RequestAsync(b.Id, "x", default, cancellation.Token);
            }
            await cancellation.CancelAsync();
            await Should.ThrowAsync<OperationCanceledException>(() => request);
        }
        b.Dispatcher.OnRequest = (request, _) => Task.FromResult(request.Payload);

        MeshException? busy;
        using var last = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        do
        {
            busy = null;
            try
            {
                (await a.Mesh.RequestAsync(b.Id, "x", new byte[] { 5 }, last.Token)).ToArray().ShouldBe([5]);
            }
            catch (MeshException e) when (e.Error == MeshError.Busy)
            {
                busy = e;
            }
        }
        while (busy is not null);
    }
}
