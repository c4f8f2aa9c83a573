using EventMesh.Events;
using EventMesh.Journal;

namespace EventMesh.Host.Endpoints;

/// <summary>How the node fares: <c>GET /health</c>.</summary>
/// <param name="Status">In one word.</param>
/// <param name="IsReady">Whether the node takes commands.</param>
/// <param name="Journal">How its journal fares; null where there is none.</param>
internal sealed record HealthView(HealthStatus Status, bool IsReady, JournalView? Journal)
{
    public static HealthView From(bool isReady, JournalStatus? journal)
    {
        HealthStatus status = journal?.State switch
        {
            _ when !isReady => HealthStatus.Unhealthy,
            JournalState.Failed or JournalState.Stopped => HealthStatus.Unhealthy,
            JournalState.Spooling or JournalState.Draining => HealthStatus.Degraded,
            _ => HealthStatus.Healthy,
        };
        return new HealthView(status, isReady, journal is null ? null : JournalView.From(journal));
    }
}

/// <summary>How a node fares, in one word.</summary>
internal enum HealthStatus
{
    /// <summary>All is well.</summary>
    Healthy,

    /// <summary>The node works; its events wait on disk for the store.</summary>
    Degraded,

    /// <summary>The node does not take commands.</summary>
    Unhealthy,
}

/// <summary>How the journal fares.</summary>
/// <param name="State">Which way events take to the store.</param>
/// <param name="Since">Since when they take the way by the spool; null when they go straight.</param>
/// <param name="Cause">Why they take it.</param>
/// <param name="Queued">Events in memory.</param>
/// <param name="Spooled">Events in the spool.</param>
/// <param name="SpoolBytes">The spool's bytes on disk.</param>
/// <param name="SpoolLimit">The bytes from which connections are summarised.</param>
/// <param name="IsSummarising">Whether they are.</param>
/// <param name="IsSpoolRefusing">Whether the spool took nothing when it was needed last, so that events wait in memory only.</param>
/// <param name="HeldBackPeers">New peers that the log does not have yet because too many came.</param>
/// <param name="LastRecorded">The place of the last recorded event.</param>
/// <param name="LastDurable">The place up to which events are durable.</param>
/// <param name="LastCommitted">The place up to which the store has them.</param>
internal sealed record JournalView(
    JournalState State, DateTimeOffset? Since, SpoolingCause? Cause, int Queued, long Spooled, long SpoolBytes, long SpoolLimit, bool IsSummarising, bool IsSpoolRefusing,
    int HeldBackPeers, long LastRecorded, long LastDurable, long LastCommitted)
{
    public static JournalView From(JournalStatus status) => new(
        status.State, status.SpoolingSince, status.Cause, status.Queued, status.Spooled, status.SpoolBytes, status.SpoolLimit, status.IsSummarising, status.IsSpoolRefusing,
        status.HeldBackPeers, status.LastRecorded, status.LastDurable, status.LastCommitted);
}
