using EventMesh.Events;
using EventMesh.Journal;
using EventMesh.Trust;
using EventMesh.Trust.Internal;
using Microsoft.Extensions.Logging;

namespace EventMesh.Node.Internal;

/// <summary>Records a seal over what is committed of the log, at an interval, when a month closes and at the stop, while the log moves.</summary>
internal sealed class LogSealer(IEventJournal journal, IEventStore store, NodeIdentity identity, TimeSpan interval, TimeProvider time, ILogger logger)
{
    // A store that does not answer does not hold up the stop.
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(2);

    // A month's last events are committed by then, unless the store is slow; then the next seal at the interval stands for them.
    private static readonly TimeSpan CloseDelay = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim _one = new(1, 1);
    private LogHead? _sealed;
    private long _sealPlace;

    /// <summary>Seals at the interval and when the month ends, until the node stops.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            await Task.Delay(Next(time.GetUtcNow(), interval), time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (cancellationToken.IsCancellationRequested)
                return;
            await TrySealAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Seals once more; the journal still records.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(StopLimit, time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        await TrySealAsync(linked.Token).ConfigureAwait(false);
    }

    /// <summary>Seals what is committed, unless nothing came since the last seal but itself; whether it did.</summary>
    public async Task<bool> SealAsync(CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (await store.GetHeadAsync(identity.Node, cancellationToken).ConfigureAwait(false) is not { } head || !HasMoved(head))
                return false;
            SignedHead signed = LogSeal.Sign(identity, head);
            RecordedEvent recorded = journal.Record(new LogSealed(signed.Place, signed.Hash, signed.PublicKey, signed.Signature));
            (_sealed, _sealPlace) = (head, recorded.NodeSeq);
            return true;
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>
    /// How long until the next seal: the interval, or less when the month, and with it the segments of the log, closes before. In whole milliseconds, as timers count:
    /// less than one would be no wait at all, again and again until the month has closed. Pure.
    /// </summary>
    internal static TimeSpan Next(DateTimeOffset now, TimeSpan interval)
    {
        DateTime day = now.UtcDateTime - CloseDelay;
        TimeSpan close = new DateTime(day.Year, day.Month, 1, 0, 0, 0, DateTimeKind.Utc).AddMonths(1) - day;
        return close < interval ? TimeSpan.FromMilliseconds(Math.Ceiling(close.TotalMilliseconds)) : interval;
    }

    private bool HasMoved(LogHead head) => _sealed is not { } last || (head.Place > last.Place && !(head.Place == _sealPlace && _sealPlace == last.Place + 1));

    private async Task TrySealAsync(CancellationToken cancellationToken)
    {
        try
        {
            await SealAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The next start seals what this one has left.
        }
        catch (MeshException exception)
        {
            // The store is away, or the journal has failed, which is told elsewhere.
            Log.NotSealed(logger, exception.Message);
        }
    }
}
