using EventMesh.Identity;
using EventMesh.Marten.Queries;
using EventMesh.Marten.Store;
using Xunit;

namespace EventMesh.Marten.Tests.Fixture;

/// <summary>Waits for what a database or another process comes to show. Neither signals it to a test, so it is looked at again and again, for a minute at most.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);

    public static Task IsTrueAsync(Func<bool> condition) => IsTrueAsync(_ => Task.FromResult(condition()));

    public static async Task IsTrueAsync(Func<CancellationToken, Task<bool>> condition)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(Limit);
        using var timer = new PeriodicTimer(Pause);
        while (!await condition(limit.Token))
            await timer.WaitForNextTickAsync(limit.Token);
    }

    /// <summary>Until there is something that fulfils a condition.</summary>
    public static async Task<T> FindsAsync<T>(Func<CancellationToken, Task<T?>> look, Func<T, bool> condition)
        where T : class
    {
        T? found = null;
        await IsTrueAsync(async token => (found = await look(token)) is not null && condition(found));
        return found!;
    }

    /// <summary>Until the projections, except some, have come to the end of a node's log.</summary>
    public static Task FoldedAsync(MartenEventStore store, NodeId node, params string[] except) =>
        IsTrueAsync(async token => (await store.Queries.GetProjectionsAsync(node, token))
            .All(projection => except.Contains(projection.Name) || projection.NodeSeq >= projection.LogSeq));
}
