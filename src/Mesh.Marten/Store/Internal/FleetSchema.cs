using EventMesh.Marten.Projections.Internal;

namespace EventMesh.Marten.Store.Internal;

/// <summary>SQL: what nodes that share a database know of each other.</summary>
internal static class FleetSchema
{
    public static string Create(LogTables tables) =>
        $"""
        -- Each append and each page moves a row of these. With room on their pages the new version stays beside the old, and the look for what is
        -- behind reads few pages.
        alter table {tables.Nodes} set (fillfactor = 50);
        alter table {tables.Schema}.projection_position set (fillfactor = 50);

        """ + ProjectionLease.Create(tables.Schema) +
        $"""
        create or replace view {tables.Schema}.fleet as
            select n.tenant_id::uuid as node_id, s.identity, s.agent, coalesce(s.state, 'unknown') as state, s.reachability, s.endpoint, n.epoch, n.node_seq,
                n.time as last_at,
                n.node_seq - coalesce((
                    select min(coalesce(at.node_seq, 0)) from {tables.Schema}.projection p
                        left join {tables.Schema}.projection_position at
                            on (at.name, at.generation, at.tenant_id) = (p.name, p.generation, n.tenant_id)), 0) as lag
            from {tables.Nodes} n left join {tables.Schema}.node_status s on s.node_id = n.tenant_id::uuid;

        """;
}
