using EventMesh.Diagnostics;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Sessions.Internal;
using EventMesh.Wire;

namespace EventMesh.Bootstrap.Internal;

/// <summary>Brings the number of peers down to the low watermark when it is above the high one. Looks every 10 s.</summary>
internal sealed class Trimmer(ISessionHost host, SessionTable table)
{
    private const int SamplesKept = 10;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan SampleInterval = TimeSpan.FromMinutes(1);

    // The count of messages at each of the last 10 minutes, by session; sessions that have ended go with the next sample.
    private readonly Dictionary<PeerSession, Queue<long>> _samples = [];
    private long _lastSample;

    /// <summary>Runs until cancelled; never fails.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(Interval, host.Clock);
        try
        {
            _lastSample = host.Clock.GetTimestamp();
            while (await timer.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false))
            {
                if (host.Clock.GetElapsedTime(_lastSample) >= SampleInterval) Sample();
                if (table.JoinedCount > host.Options.Limits.High) await TrimAsync().ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is MeshException or OperationCanceledException)
        {
            // The node stops, or its journal can't go on and it is about to stop.
        }
    }

    private void Sample()
    {
        _lastSample = host.Clock.GetTimestamp();
        HashSet<PeerSession> joined = [.. table.Sessions().Where(session => session.Info is not null)];
        foreach (PeerSession ended in _samples.Keys.Where(session => !joined.Contains(session)).ToArray()) _samples.Remove(ended);
        foreach (PeerSession session in joined)
        {
            if (!_samples.TryGetValue(session, out Queue<long>? samples)) _samples.Add(session, samples = new Queue<long>());
            samples.Enqueue(session.Messages);
            if (samples.Count > SamplesKept) samples.Dequeue();
        }
    }

    private async Task TrimAsync()
    {
        Dictionary<PeerId, PeerSession> sessions = table.Sessions().ToDictionary(session => session.Peer);
        List<TrimCandidate> candidates = [];
        foreach (PeerSession session in sessions.Values)
        {
            if (session.Info is not { } peer) continue;
            candidates.Add(new TrimCandidate(peer.Peer, session.IsInbound, peer.JoinedAt, RecentMessages(session), host.IsProtected(peer.Peer)));
        }
        IReadOnlyList<PeerId> chosen = TrimDecisions.Choose(
            candidates, host.Options.Limits.High, host.Options.Limits.Low, host.Options.Limits.TrimGrace, host.Clock.GetUtcNow());
        if (chosen.Count == 0) return;
        Log.Trimming(host.Logger, chosen.Count, candidates.Count);
        MeshMetrics.TrimmedPeers.Add(chosen.Count);
        await Task.WhenAll(chosen.Select(peer => sessions[peer].LeaveAsync(CloseReason.Trimmed, WireCode.Trimmed))).ConfigureAwait(false);
    }

    private long RecentMessages(PeerSession session) =>
        _samples.TryGetValue(session, out Queue<long>? samples) && samples.TryPeek(out long oldest)
            ? Math.Max(0, session.Messages - oldest)
            : session.Messages;
}
