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

        """ + ProjectionLease.Create(tables.Schema);
}
