using EventMesh.Dispatch;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Marten.Store;
using EventMesh.Marten.Store.Internal;
using EventMesh.Projections;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace EventMesh.Marten.Retention.Internal;

/// <summary>
/// Archives closed months in the background: a few blocks at a turn, of all nodes that share the database, in the one process that holds the advisory lock. What it
/// records, and what it drops, is of its own node only, since a log has one writer.
/// </summary>
internal sealed class SegmentKeeper(MartenEventStore store, IOptions<MeshRetentionOptions> options, TimeProvider time, ILoggerFactory loggerFactory)
    : IMeshExtension, ISegments, IDisposable
{
    private const int BlocksPerTurn = 16;

    // The start has better things to do.
    private static readonly TimeSpan FirstDelay = TimeSpan.FromMinutes(1);

    // Between turns others have the database; between looks nothing was due.
    private static readonly TimeSpan YieldDelay = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LookInterval = TimeSpan.FromMinutes(10);

    private readonly ILogger _logger = loggerFactory.CreateLogger("EventMesh.Retention");
    private readonly CancellationTokenSource _stopping = new();
    private readonly SemaphoreSlim _announcing = new(1, 1);
    private Task _running = Task.CompletedTask;
    private IEventJournal? _journal;
    private DateOnly _partitionsMadeIn;

    private IEventJournal Journal => _journal ?? throw new MeshException(MeshError.NodeStopped, "The node does not run.");

    public Task StartAsync(IMesh mesh, IEventJournal journal, CancellationToken cancellationToken)
    {
        _journal = journal;
        // It outlives the caller: its activities must not become children of the start's.
        using (ExecutionContext.SuppressFlow())
            _running = Task.Run(RunAsync, CancellationToken.None);
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
    }

    public Task<IReadOnlyList<SegmentInfo>> ListAsync(CancellationToken cancellationToken = default) =>
        OnConnectionAsync<IReadOnlyList<SegmentInfo>>(
            async (connection, archive, tenant) => await archive.ListAsync(connection, tenant, cancellationToken).ConfigureAwait(false), cancellationToken);

    public async Task<IReadOnlyList<SegmentInfo>> ArchiveAsync(TimeSpan olderThan, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(olderThan, TimeSpan.Zero);
        IReadOnlyList<SegmentInfo> before = await ListAsync(cancellationToken).ConfigureAwait(false);
        await OnConnectionAsync(
            async (connection, archive, tenant) =>
            {
                await Sql.ExecuteAsync(connection, "select pg_advisory_lock(hashtextextended($1, 0))", cancellationToken, LockName).ConfigureAwait(false);
                try
                {
                    while (await archive.MoveBlockAsync(connection, time.GetUtcNow() - olderThan, tenant, cancellationToken).ConfigureAwait(false))
                    {
                    }
                }
                finally
                {
                    await UnlockAsync(connection).ConfigureAwait(false);
                }
                return true;
            },
            cancellationToken).ConfigureAwait(false);
        await AnnounceAsync(cancellationToken).ConfigureAwait(false);
        IReadOnlyList<SegmentInfo> after = await ListAsync(cancellationToken).ConfigureAwait(false);
        return [.. after.Where(segment => segment.Status == SegmentStatus.Archived
            && !before.Any(other => other.Family == segment.Family && other.Month == segment.Month && other.Status == SegmentStatus.Archived))];
    }

    public Task<IReadOnlyList<SegmentInfo>> FindDroppableAsync(TimeSpan olderThan, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(olderThan, TimeSpan.Zero);
        return OnConnectionAsync<IReadOnlyList<SegmentInfo>>(
            async (connection, archive, tenant) =>
            {
                List<string> streams = await archive.FindDroppableAsync(connection, tenant, time.GetUtcNow() - olderThan, cancellationToken).ConfigureAwait(false);
                return streams.Count == 0
                    ? []
                    : [.. (await archive.ListAsync(connection, tenant, cancellationToken).ConfigureAwait(false)).Where(s => streams.Contains(SegmentArchive.StreamOf(s)))];
            },
            cancellationToken);
    }

    public async Task<IReadOnlyList<SegmentInfo>> DropAsync(TimeSpan olderThan, CancellationToken cancellationToken = default)
    {
        await _announcing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            IReadOnlyList<SegmentInfo> due = await FindDroppableAsync(olderThan, cancellationToken).ConfigureAwait(false);
            foreach (SegmentInfo segment in due)
            {
                bool isSaid = (await SaidAsync(nameof(SegmentDropped), cancellationToken).ConfigureAwait(false)).Contains(SegmentArchive.StreamOf(segment));
                if (!isSaid)
                    await RecordAsync(
                        new SegmentDropped(segment.Family, segment.Month, segment.FirstSeq, segment.LastSeq, segment.Count, segment.Head), cancellationToken)
                        .ConfigureAwait(false);
                await OnConnectionAsync((connection, archive, tenant) => archive.ApplyDropsAsync(connection, tenant, cancellationToken), cancellationToken)
                    .ConfigureAwait(false);
                Log.Dropped(_logger, SegmentArchive.StreamOf(segment), segment.Count);
            }
            return [.. due.Select(segment => segment with { Status = SegmentStatus.Dropped, BlockBytes = 0 })];
        }
        finally
        {
            _announcing.Release();
        }
    }

    public void Dispose()
    {
        _stopping.Dispose();
        _announcing.Dispose();
    }

    private async Task RunAsync()
    {
        bool isWaiting = false;
        try
        {
            await Task.Delay(FirstDelay, time, _stopping.Token).ConfigureAwait(false);
            while (true)
            {
                TimeSpan delay = LookInterval;
                try
                {
                    if (await TurnAsync(_stopping.Token).ConfigureAwait(false))
                        delay = YieldDelay;
                    isWaiting = false;
                }
                catch (Exception exception) when (exception is not OperationCanceledException || !_stopping.IsCancellationRequested)
                {
                    if (!isWaiting)
                        Log.Waits(_logger, exception);
                    isWaiting = true;
                }
                await Task.Delay(delay, time, _stopping.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // The node stops.
        }
    }

    /// <summary>A turn; whether there is more to do at once.</summary>
    private async Task<bool> TurnAsync(CancellationToken cancellationToken)
    {
        MeshRetentionOptions settings = options.Value;
        bool more = false;
        if (settings.CompressAfter is { } compress)
        {
            more = await OnConnectionAsync(
                async (connection, archive, _) =>
                {
                    if (!await Sql.ScalarAsync<bool>(connection, "select pg_try_advisory_lock(hashtextextended($1, 0))", cancellationToken, LockName)
                        .ConfigureAwait(false))
                        return false;
                    try
                    {
                        return await MoveBlocksAsync(connection, archive, time.GetUtcNow() - compress, cancellationToken).ConfigureAwait(false);
                    }
                    finally
                    {
                        await UnlockAsync(connection).ConfigureAwait(false);
                    }
                },
                cancellationToken).ConfigureAwait(false);
        }
        if (more)
            return true;
        await AnnounceAsync(cancellationToken).ConfigureAwait(false);
        // Also what a process that ended between the event and its effect has left.
        await OnConnectionAsync((connection, archive, tenant) => archive.ApplyDropsAsync(connection, tenant, cancellationToken), cancellationToken).ConfigureAwait(false);
        if (settings.DropConnectionsAfter is { } drop)
            await DropAsync(drop, cancellationToken).ConfigureAwait(false);
        return false;
    }

    private async Task<bool> MoveBlocksAsync(NpgsqlConnection connection, SegmentArchive archive, DateTimeOffset endedBefore, CancellationToken cancellationToken)
    {
        DateOnly month = SegmentState.MonthOf(time.GetUtcNow());
        if (month != _partitionsMadeIn)
            await archive.MakePartitionsAsync(connection, month, cancellationToken).ConfigureAwait(false);
        _partitionsMadeIn = month;
        int moved = 0;
        while (moved < BlocksPerTurn && await archive.MoveBlockAsync(connection, endedBefore, null, cancellationToken).ConfigureAwait(false))
            moved++;
        return moved == BlocksPerTurn;
    }

    /// <summary>Records the months of this node that are complete and not in the log as such.</summary>
    private async Task AnnounceAsync(CancellationToken cancellationToken)
    {
        await _announcing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            HashSet<string>? said = null;
            foreach (SegmentInfo segment in await ListAsync(cancellationToken).ConfigureAwait(false))
            {
                if (segment.Status != SegmentStatus.Archived)
                    continue;
                said ??= await SaidAsync(nameof(SegmentArchived), cancellationToken).ConfigureAwait(false);
                if (!said.Add(SegmentArchive.StreamOf(segment)))
                    continue;
                await RecordAsync(
                    new SegmentArchived(segment.Family, segment.Month, segment.FirstSeq, segment.LastSeq, segment.Count, segment.Head), cancellationToken)
                    .ConfigureAwait(false);
                Log.Archived(_logger, SegmentArchive.StreamOf(segment), segment.Count);
            }
        }
        finally
        {
            _announcing.Release();
        }
    }

    /// <summary>Records an event and waits until the store itself has it: the spool is not enough for what follows it there.</summary>
    private async Task RecordAsync(IMeshEvent data, CancellationToken cancellationToken)
    {
        RecordedEvent recorded = Journal.Record(data);
        await Journal.WhenDurableAsync(recorded, cancellationToken).ConfigureAwait(false);
        while ((await store.FindAsync(store.Node!.Value, [recorded.Id], cancellationToken).ConfigureAwait(false)).Count == 0)
            await Task.Delay(YieldDelay, time, cancellationToken).ConfigureAwait(false);
    }

    private Task<HashSet<string>> SaidAsync(string type, CancellationToken cancellationToken)
    {
        string wireName = EventRegistry.Default.Get(type == nameof(SegmentArchived) ? typeof(SegmentArchived) : typeof(SegmentDropped)).WireName;
        return OnConnectionAsync((connection, archive, tenant) => archive.FindSaidAsync(connection, tenant, wireName, cancellationToken), cancellationToken);
    }

    private async Task<T> OnConnectionAsync<T>(Func<NpgsqlConnection, SegmentArchive, string, Task<T>> action, CancellationToken cancellationToken)
    {
        try
        {
            StoreSession session = store.Session;
            NpgsqlConnection connection = await session.Source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
            await using (connection.ConfigureAwait(false))
                return await action(connection, new SegmentArchive(session.Tables), LogReader.Tenant(store.Node!.Value)).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is not (MeshException or OperationCanceledException or ArgumentException))
        {
            throw StoreErrors.Translate(exception, "look after closed months");
        }
    }

    private string LockName => store.Session.Tables.ArchiveLock;

    // A pooled connection would keep it; one that broke has given it back.
    private async Task UnlockAsync(NpgsqlConnection connection)
    {
        if (connection.State == System.Data.ConnectionState.Open)
            await Sql.ExecuteAsync(connection, "select pg_advisory_unlock(hashtextextended($1, 0))", CancellationToken.None, LockName).ConfigureAwait(false);
    }
}
