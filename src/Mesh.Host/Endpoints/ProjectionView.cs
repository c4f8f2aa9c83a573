using EventMesh.Marten.Queries;

namespace EventMesh.Host.Endpoints;

/// <summary>A projection.</summary>
/// <param name="Name">Its name, that of its view.</param>
/// <param name="State">What it does.</param>
/// <param name="NodeSeq">The place up to which it has folded.</param>
/// <param name="LogSeq">The end of the log.</param>
/// <param name="Lag">The events that it has not folded yet.</param>
/// <param name="LagSeconds">For how long the first of them has been waiting.</param>
/// <param name="PausedReason">Why it is paused; null when it is not.</param>
/// <param name="PausedAt">Since when.</param>
/// <param name="RebuiltSeq">How far a rebuild is that runs or was interrupted; null when there is none.</param>
internal sealed record ProjectionView(
    string Name, ProjectionState State, long NodeSeq, long LogSeq, long Lag, double LagSeconds, string? PausedReason, DateTimeOffset? PausedAt, long? RebuiltSeq)
{
    /// <summary>The view of a status.</summary>
    public static ProjectionView From(ProjectionStatus status) => new(
        status.Name, status.State, status.NodeSeq, status.LogSeq, status.Lag, Math.Round(status.LagTime.TotalSeconds, 3), status.PausedReason,
        status.PausedAt, status.RebuiltSeq);
}
