using EventMesh.Projections;

namespace EventMesh.Marten.Queries;

/// <summary>What differs in a node's log between two times.</summary>
/// <param name="From">What the earlier state stands on.</param>
/// <param name="To">What the later state stands on.</param>
/// <param name="Changes">The net difference, by kind and subject: what came and went in between does not show.</param>
/// <param name="ConnectionsOpened">Connections that were opened after the earlier place, up to the later.</param>
/// <param name="ConnectionsClosed">Connections that were closed in the same range.</param>
public sealed record MeshDifference(
    HistoryPoint From, HistoryPoint To, IReadOnlyList<MeshChange> Changes, long ConnectionsOpened, long ConnectionsClosed);
