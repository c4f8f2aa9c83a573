using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Marten.Audit;
using EventMesh.Marten.Audit.Internal;
using Npgsql;

namespace EventMesh.Marten.Store.Internal;

/// <summary>Walks the logs in two stores from their beginnings to their ends, and compares what an audit finds of each: places, order, chain and its head.</summary>
internal sealed class LogComparison(NpgsqlDataSource first, NpgsqlDataSource second, LogTables tables, EventRegistry registry)
{
    /// <summary>The reports of the first store's logs, when the second store has the same.</summary>
    public async Task<IReadOnlyList<AuditReport>> RunAsync(CancellationToken cancellationToken)
    {
        List<string> tenants = await FindTenantsAsync(first, cancellationToken).ConfigureAwait(false);
        List<string> others = await FindTenantsAsync(second, cancellationToken).ConfigureAwait(false);
        if (!tenants.SequenceEqual(others, StringComparer.Ordinal))
            throw Differs($"one store has the logs of {tenants.Count} nodes, the other of {others.Count}");
        List<AuditReport> reports = [];
        foreach (string tenant in tenants)
        {
            Task<AuditReport> before = WalkAsync(first, tenant, cancellationToken);
            Task<AuditReport> after = WalkAsync(second, tenant, cancellationToken);
            await Task.WhenAll(before, after).ConfigureAwait(false);
            Compare(await before.ConfigureAwait(false), await after.ConfigureAwait(false));
            reports.Add(await before.ConfigureAwait(false));
        }
        return reports;
    }

    internal static void Compare(AuditReport before, AuditReport after)
    {
        string node = $"the log of node {before.Node}";
        if (before.LastPlace != after.LastPlace)
            throw Differs($"{node} ends at place {after.LastPlace} instead of {before.LastPlace}");
        if (before.ChainedFrom != after.ChainedFrom || !(before.Head ?? []).AsSpan().SequenceEqual(after.Head ?? []))
            throw Differs($"the chain of {node} has another head");
        if (before.FindingCount != after.FindingCount || !before.Findings.SequenceEqual(after.Findings))
            throw Differs($"an audit of {node} finds {after.FindingCount} things wrong instead of {before.FindingCount}");
        if (before.Seals != after.Seals || before.SealedThrough != after.SealedThrough || before.Dropped.Count != after.Dropped.Count)
            throw Differs($"{node} has other seals or dropped months");
    }

    private Task<AuditReport> WalkAsync(NpgsqlDataSource source, string tenant, CancellationToken cancellationToken) =>
        LogAudit.WalkAsync(source, tables, registry, NodeId.Parse(tenant), head: null, new AuditFindings(), cancellationToken);

    private async Task<List<string>> FindTenantsAsync(NpgsqlDataSource source, CancellationToken cancellationToken)
    {
        NpgsqlConnection connection = await source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
            return await Sql.QueryAsync(
                Sql.Command(connection, $"select tenant_id from {tables.Nodes} order by tenant_id collate \"C\""), row => row.GetString(0), cancellationToken).ConfigureAwait(false);
    }

    private static MeshException Differs(string how) =>
        new(MeshError.StoreIncompatible, $"The new cluster is not as the old one: {how}. The old one is in its place, as it was.");
}
