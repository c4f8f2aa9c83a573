using System.Data;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Journal.Internal;
using EventMesh.Marten.Projections.Internal;
using EventMesh.Marten.Store.Internal;
using EventMesh.Trust.Internal;
using Npgsql;

namespace EventMesh.Marten.Audit.Internal;

/// <summary>Walks a node's log as it is stored, a page in memory at a time.</summary>
internal sealed class LogAudit(Func<StoreSession> session, EventRegistry registry) : ILogAudit
{
    public async Task<AuditReport> VerifyAsync(NodeId node, SignedHead? head = null, CancellationToken cancellationToken = default)
    {
        try
        {
            return await VerifyCoreAsync(session(), node, head, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is not (MeshException or OperationCanceledException))
        {
            throw StoreErrors.Translate(exception, "check the log");
        }
    }

    private async Task<AuditReport> VerifyCoreAsync(StoreSession store, NodeId node, SignedHead? head, CancellationToken cancellationToken)
    {
        var findings = new AuditFindings();
        AuditReport report = await WalkAsync(store.Source, store.Tables, registry, node, head, findings, cancellationToken).ConfigureAwait(false);
        List<string> compared = await CompareAsync(store, node, report.Dropped.Count == 0, findings, cancellationToken).ConfigureAwait(false);
        return report with { Projections = compared, Findings = findings.First, FindingCount = findings.Count };
    }

    /// <summary>Walks a log alone, without what the projections have of it.</summary>
    internal static async Task<AuditReport> WalkAsync(
        NpgsqlDataSource source, LogTables tables, EventRegistry registry, NodeId node, SignedHead? head, AuditFindings findings, CancellationToken cancellationToken)
    {
        var chain = new LogChain(tables);
        ChainEnd end;
        IReadOnlyList<DroppedMonth> dropped;
        long through;
        var seals = new SealWalk(node, registry, findings);
        using var erasures = new ErasureWalk(registry, findings);
        NpgsqlConnection connection = await source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            // Of one moment, since months move and go meanwhile.
            NpgsqlTransaction transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken).ConfigureAwait(false);
            await using (transaction.ConfigureAwait(false))
            {
                end = await chain.GetEndAsync(connection, node, cancellationToken).ConfigureAwait(false)
                    ?? throw new MeshException(MeshError.StoreIncompatible, $"The store has no log of node {node}.");
                dropped = await chain.GetDroppedAsync(connection, node, end.Place, registry, cancellationToken).ConfigureAwait(false);
                var order = new OrderWalk(registry, dropped, findings);
                var links = new ChainWalk(end.ChainedFrom, findings);
                long read = await WalkAsync(chain, connection, node, end.Place, row =>
                {
                    bool follows = order.Step(row);
                    byte[] digest = row.Digest(node);
                    byte[]? before = follows ? null : dropped.FirstOrDefault(month => month.Data.LastSeq == row.Place - 1)?.Head;
                    links.Step(row, !follows, before, erasures.Step(row, digest));
                    seals.Step(row);
                }, cancellationToken).ConfigureAwait(false);
                order.End(end);
                erasures.End(end.Place, dropped);
                CheckEnd(end, links.End(end.Hash), order.LastPlace, findings);
                (long known, long elsewhere) = await chain.CountAsync(connection, node, end.Place, cancellationToken).ConfigureAwait(false);
                if (known > read)
                    findings.Add(AuditProblem.Inserted, null, $"{known - read} rows share a place with another");
                if (elsewhere > 0)
                    findings.Add(AuditProblem.Inserted, null, $"{elsewhere} rows have no place, or one beyond the end of the log");
                through = await CheckHeadsAsync(
                    chain, connection, node, [.. seals.Seals, .. Exported(node, head, findings)], dropped, findings, cancellationToken).ConfigureAwait(false);
            }
        }
        return new AuditReport(node, end.Place, end.ChainedFrom, end.Hash, seals.Count, through, erasures.All, [], findings.First, findings.Count)
        {
            Dropped = [.. dropped.Select(month => new AuditDroppedMonth(
                month.Place, month.Data.Family, month.Data.Month, month.Data.FirstSeq, month.Data.LastSeq, month.Data.Count))],
        };
    }

    private static async Task<long> WalkAsync(
        LogChain chain, NpgsqlConnection connection, NodeId node, long upTo, Action<AuditRow> step, CancellationToken cancellationToken)
    {
        long read = 0;
        long after = 0;
        while (true)
        {
            List<AuditRow> page = await chain.ReadPageAsync(connection, node, after, upTo, cancellationToken).ConfigureAwait(false);
            page.ForEach(step);
            read += page.Count;
            if (page.Count < LogReader.PageSize)
                return read;
            after = page[^1].Place;
        }
    }

    private static void CheckEnd(ChainEnd end, byte[]? last, long lastPlace, AuditFindings findings)
    {
        if (end.ChainedFrom is null)
        {
            if (end.Hash is not null)
                findings.Add(AuditProblem.WrongHead, end.Place, "the store notes a link for the last event, but not where the chain begins");
        }
        else if (end.Hash is null || (lastPlace == end.Place && last is not null && !last.AsSpan().SequenceEqual(end.Hash)))
        {
            findings.Add(AuditProblem.WrongHead, end.Place, "the link that the store notes for the last event is not the last event's");
        }
    }

    private static IEnumerable<(long At, SignedHead Head)> Exported(NodeId node, SignedHead? head, AuditFindings findings)
    {
        if (head is null)
            yield break;
        if (head.Node != node)
            findings.Add(AuditProblem.Rewritten, null, $"the given head is of the log of node {head.Node}");
        else if (!LogSeal.Verify(head))
            findings.Add(AuditProblem.ForgedSeal, null, "the signature of the given head is false");
        else
            yield return (0, head);
    }

    /// <summary>Compares the links at places with those that were signed; the last place that a seal stands for.</summary>
    private static async Task<long> CheckHeadsAsync(
        LogChain chain, NpgsqlConnection connection, NodeId node, IReadOnlyList<(long At, SignedHead Head)> heads, IReadOnlyList<DroppedMonth> dropped,
        AuditFindings findings, CancellationToken cancellationToken)
    {
        long through = 0;
        Dictionary<long, byte[]?> links = await chain.GetLinksAsync(connection, node, [.. heads.Select(each => each.Head.Place).Distinct()], cancellationToken)
            .ConfigureAwait(false);
        foreach ((long at, SignedHead head) in heads)
        {
            if (!links.TryGetValue(head.Place, out byte[]? link) && dropped.FirstOrDefault(month => month.Covers(head.Place)) is { } month)
            {
                // Of a month that is gone only the last link is told.
                link = month.Data.LastSeq == head.Place ? month.Head : null;
                if (link is null && at > 0)
                    continue;
                if (link is null)
                    throw new MeshException(
                        MeshError.InvalidConfiguration,
                        $"The event at place {head.Place} of the given head was removed with the month {month.Data.Month}, as the event at place {month.Place} tells: compare a head of another place.");
            }
            if (link is not null && link.AsSpan().SequenceEqual(head.Hash))
            {
                through = at > 0 ? Math.Max(through, head.Place) : through;
                continue;
            }
            findings.Add(
                AuditProblem.Rewritten, head.Place,
                at > 0 ? $"the seal at place {at} stands for another log up to here" : "the given head stands for another log up to here");
        }
        return through;
    }

    private static async Task<List<string>> CompareAsync(StoreSession store, NodeId node, bool isWhole, AuditFindings findings, CancellationToken cancellationToken)
    {
        var check = new ProjectionCheck(store, findings);
        List<string> compared = [];
        foreach (LogProjection projection in store.Projections)
        {
            // Rows of connections that are in the log no more stay in the projections, which a new fold could not give.
            if (!isWhole && projection.Follows(StreamFamily.Peers))
                continue;
            try
            {
                if (await check.RunAsync(projection, LogReader.Tenant(node), cancellationToken).ConfigureAwait(false))
                    compared.Add(projection.Name);
            }
            catch (Exception exception) when (IsOfContent(exception))
            {
                // What was written into the log can't be read: the walk has told of it if it was not the node.
                findings.Add(AuditProblem.Projection, null, $"{projection.Name}: the log can't be folded: {exception.Message}");
            }
        }
        return compared;
    }

    // What no node writes makes reading or folding fail, in blocks also the reading by SQL (classes 22 and 23: data and constraints).
    private static bool IsOfContent(Exception exception) =>
        exception is MeshException { Error: MeshError.StoreIncompatible } or PostgresException { SqlState: ['2', '2' or '3', ..] }
            or InvalidCastException or FormatException or ArgumentException;
}
