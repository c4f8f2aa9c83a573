using System.Diagnostics;
using EventMesh.Diagnostics;
using EventMesh.Events;
using EventMesh.Identity;
using Microsoft.Extensions.Logging;

namespace EventMesh.Journal.Internal;

/// <summary>
/// Appends to a store until the store has acknowledged. After an unknown outcome it asks which events the store holds and appends only
/// the missing ones: taking a violated uniqueness for success would lose the rest of the batch. One call at a time.
/// </summary>
internal sealed class StoreWriter(IEventStore store, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan MaxDelay = TimeSpan.FromSeconds(1);
    // A store that neither answers nor fails is as good as away.
    private static readonly TimeSpan AttemptTimeout = TimeSpan.FromSeconds(30);

    // One conflict is an earlier attempt that was committed late, and the look-up after it finds it. When the look-up finds nothing time
    // after time, the log does not end where this journal goes on, and it never will.
    private const int MaxConflicts = 5;

    private long _awaySince;
    private volatile bool _isAway;

    /// <summary>Whether the last attempt failed.</summary>
    public bool IsAway => _isAway;

    /// <summary>
    /// Returns when the store holds the batch; fails with <see cref="MeshError.EpochLost"/>, <see cref="MeshError.ConcurrencyConflict"/>
    /// (the log is not what this journal left) or cancellation.
    /// </summary>
    public Task AppendAsync(NodeId node, IReadOnlyList<RecordedEvent> batch, CancellationToken cancellationToken) =>
        SettleAsync(node, batch, (missing, token) => store.AppendAsync(node, missing, token), isClaim: false, cancellationToken);

    /// <summary>
    /// Returns when the store has taken the claim; fails with <see cref="MeshError.EpochLost"/>, <see cref="MeshError.ConcurrencyConflict"/>
    /// (the log does not end where the claim goes on) or cancellation.
    /// </summary>
    public Task ClaimAsync(NodeId node, RecordedEvent started, CancellationToken cancellationToken) =>
        SettleAsync(node, [started], (missing, token) => store.ClaimEpochAsync(node, missing[0], token), isClaim: true, cancellationToken);

    public async Task<IReadOnlyList<RecordedEvent>> FindMissingAsync(
        NodeId node, IReadOnlyList<RecordedEvent> batch, CancellationToken cancellationToken)
    {
        var ids = new Guid[batch.Count];
        for (var i = 0; i < ids.Length; i++)
            ids[i] = batch[i].Id;
        IReadOnlySet<Guid> found = await store.FindAsync(node, ids, cancellationToken).ConfigureAwait(false);
        return found.Count == 0 ? batch : [.. batch.Where(recorded => !found.Contains(recorded.Id))];
    }

    private async Task SettleAsync(
        NodeId node, IReadOnlyList<RecordedEvent> batch, Func<IReadOnlyList<RecordedEvent>, CancellationToken, Task> append,
        bool isClaim, CancellationToken cancellationToken)
    {
        using Activity? activity = MeshTelemetry.Source.HasListeners() ? MeshTelemetry.Source.StartActivity("journal append") : null;
        activity?.SetTag("eventmesh.journal.batch", batch.Count);
        long start = time.GetTimestamp();
        IReadOnlyList<RecordedEvent> missing = batch;
        var isUnknown = false;
        MeshException? refused = null;
        var conflicts = 0;
        for (var attempt = 0; ; attempt++)
        {
            using CancellationTokenSource limit = new(AttemptTimeout, time);
            using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
            try
            {
                if (isUnknown)
                    missing = await FindMissingAsync(node, missing, linked.Token).ConfigureAwait(false);
                if (missing.Count == 0)
                    break;
                if (refused is not null)
                    throw refused;
                await append(missing, linked.Token).ConfigureAwait(false);
                break;
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                throw;
            }
            catch (MeshException exception) when (exception.Error == MeshError.EpochLost || (isClaim && exception.Error == MeshError.ConcurrencyConflict))
            {
                // An earlier attempt may have been committed after we asked for it, and of a claim that very commit refuses the next:
                // ask once more.
                if (isUnknown && refused is null)
                {
                    refused = exception;
                    continue;
                }
                activity?.SetStatus(ActivityStatusCode.Error, exception.Message).SetTag(MeshTelemetry.Attributes.ErrorType, exception.Error.ToString());
                throw;
            }
            catch (Exception exception)
            {
                isUnknown = true;
                Failed(exception);
                conflicts = exception is MeshException { Error: MeshError.ConcurrencyConflict } ? conflicts + 1 : 0;
                if (conflicts >= MaxConflicts)
                {
                    LogPosition end = await store.GetPositionAsync(node, linked.Token).ConfigureAwait(false);
                    throw LostTail.Find(node, end, missing, (MeshException)exception) ?? (MeshException)exception;
                }
            }
            await Task.Delay(Backoff(attempt), time, cancellationToken).ConfigureAwait(false);
        }
        Succeeded();
        JournalMetrics.Appended(time.GetElapsedTime(start));
    }

    private static TimeSpan Backoff(int attempt)
    {
        TimeSpan delay = FirstDelay * (1 << Math.Min(attempt, 10));
        return (delay < MaxDelay ? delay : MaxDelay) * (0.5 + (Random.Shared.NextDouble() / 2));
    }

    // One line when the store goes and one when it comes back, however many attempts there are between.
    private void Failed(Exception exception)
    {
        MeshError error = (exception as MeshException)?.Error ?? MeshError.Unknown;
        JournalMetrics.AppendFailed(error);
        if (_isAway)
            return;
        _awaySince = time.GetTimestamp();
        _isAway = true;
        if (error is MeshError.StoreUnavailable or MeshError.ConcurrencyConflict || exception is OperationCanceledException)
            Log.StoreAway(logger, store.Name, exception);
        else
            Log.StoreRefuses(logger, store.Name, exception);
    }

    private void Succeeded()
    {
        if (!_isAway)
            return;
        _isAway = false;
        Log.StoreBack(logger, store.Name, time.GetElapsedTime(_awaySince));
    }
}
