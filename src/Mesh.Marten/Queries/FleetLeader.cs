using EventMesh.Identity;

namespace EventMesh.Marten.Queries;

/// <summary>The process that lets the projections of a database follow.</summary>
/// <param name="Term">The number of its turn; each process that takes over begins the next.</param>
/// <param name="Node">Its node.</param>
/// <param name="Host">The name of its machine.</param>
/// <param name="ProcessId">Its process there.</param>
/// <param name="Since">When it took over.</param>
/// <param name="IsLeading">Whether it still does; otherwise it was the last.</param>
public sealed record FleetLeader(long Term, NodeId Node, string Host, int ProcessId, DateTimeOffset Since, bool IsLeading);
