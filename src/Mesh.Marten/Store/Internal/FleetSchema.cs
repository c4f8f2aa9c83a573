using EventMesh.Marten.Projections.Internal;

namespace EventMesh.Marten.Store.Internal;

/// <summary>SQL: what nodes that share a database know of each other.</summary>
internal static class FleetSchema
{
    public static string Create(LogTables tables) => ProjectionLease.Create(tables.Schema);
}
