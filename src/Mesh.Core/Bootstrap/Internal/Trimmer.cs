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

    private readonly Lock _mutex = new();

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

    /// <summary>Closes a peer that dialled us, so that another can take its place; false when none may go.</summary>
    public bool TryMakeRoom()
    {
        Dictionary<PeerId, PeerSession> sessions = Joined();
        if (TrimDecisions.ChooseForNewcomer([.. sessions.Values.Select(CandidateOf)], host.Clock.GetUtcNow()) is not { } chosen) return false;
        MeshMetrics.TrimmedPeers.Add(1);
        PeerSession session = sessions[chosen];
        session.IsLeaving = true;
        return table.Tasks.TryRun(static session => session.LeaveAsync(CloseReason.Trimmed, WireCode.Trimmed), session);
    }

    private void Sample()
    {
        _lastSample = host.Clock.GetTimestamp();
        HashSet<PeerSession> joined = [.. Joined().Values];
        lock (_mutex)
        {
            foreach (PeerSession ended in _samples.Keys.Where(session => !joined.Contains(session)).ToArray()) _samples.Remove(ended);
            foreach (PeerSession session in joined)
            {
                if (!_samples.TryGetValue(session, out Queue<long>? samples)) _samples.Add(session, samples = new Queue<long>());
                samples.Enqueue(session.Messages);
                if (samples.Count > SamplesKept) samples.Dequeue();
            }
        }
    }

    private async Task TrimAsync()
    {
        Dictionary<PeerId, PeerSession> sessions = Joined();
        Node.LimitOptions limits = host.Options.Limits;
        IReadOnlyList<PeerId> chosen = TrimDecisions.Choose(
            [.. sessions.Values.Select(CandidateOf)], limits.High, limits.Low, limits.TrimGrace, host.Clock.GetUtcNow());
        if (chosen.Count == 0) return;
        Log.Trimming(host.Logger, chosen.Count, sessions.Count);
        MeshMetrics.TrimmedPeers.Add(chosen.Count);
        await Task.WhenAll(chosen.Select(peer => sessions[peer].LeaveAsync(CloseReason.Trimmed, WireCode.Trimmed))).ConfigureAwait(false);
    }

    private Dictionary<PeerId, PeerSession> Joined() =>
        table.Sessions().Where(session => session is { Info: not null, IsLeaving: false }).ToDictionary(session => session.Peer);

    private TrimCandidate CandidateOf(PeerSession session) => new(
        session.Peer, session.IsInbound, session.Info?.JoinedAt ?? DateTimeOffset.MaxValue, RecentMessages(session), host.IsProtected(session.Peer));

    private long RecentMessages(PeerSession session)
    {
        long now = session.Messages;
        lock (_mutex)
            return _samples.TryGetValue(session, out Queue<long>? samples) && samples.TryPeek(out long oldest) ? Math.Max(0, now - oldest) : now;
    }
}
