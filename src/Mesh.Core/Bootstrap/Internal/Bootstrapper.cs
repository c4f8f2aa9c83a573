using System.Diagnostics;
using System.Net;
using EventMesh.Diagnostics;
using EventMesh.Events;
using EventMesh.Messaging;
using EventMesh.Projections;
using EventMesh.Sessions.Internal;

namespace EventMesh.Bootstrap.Internal;

/// <summary>
/// Joins the mesh and stays joined: while nobody is joined it races the cache, newest first, and then the hard-coded contacts.
/// </summary>
internal sealed class Bootstrapper(ISessionHost host, SessionTable table, Dialer dialer, ContactBook contacts, PeerExchange exchange)
{
    /// <summary>Who was joined for less than this is not dialled again at once.</summary>
    internal static readonly TimeSpan ShortJoin = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim _wake = new(0, 1);

    /// <summary>Looks again now: the last peer has left.</summary>
    public void Wake()
    {
        if (_wake.CurrentCount > 0) return;
        try
        {
            _wake.Release();
        }
        catch (SemaphoreFullException)
        {
            // Somebody else woke it at the same time.
        }
    }

    /// <summary>Runs until cancelled; never fails.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        int failures = 0;
        long joinedAt = 0;
        try
        {
            // Known before anybody joins, so that a contact never enters the cache.
            await contacts.ResolveAsync(cancellationToken).ConfigureAwait(false);
            while (true)
            {
                TimeSpan wait = exchange.Interval;
                if (table.Sessions().Any(session => session.Info is not null))
                {
                    // Only a join that lasts makes the next loss a fresh start.
                    if (joinedAt == 0) joinedAt = host.Clock.GetTimestamp();
                    if (host.Clock.GetElapsedTime(joinedAt) >= exchange.Interval) failures = 0;
                    await exchange.KeepTargetAsync(cancellationToken).ConfigureAwait(false);
                    wait = exchange.NextRound;
                }
                else if (joinedAt != 0 && host.Clock.GetElapsedTime(joinedAt) < ShortJoin)
                {
                    // Peers that join and drop us at once are not dialled in a loop.
                    joinedAt = 0;
                    wait = BackOff(++failures);
                }
                else if (await CandidatesAsync(cancellationToken).ConfigureAwait(false) is { Count: > 0 } candidates)
                {
                    bool hasJoined = await RaceAsync(candidates, BackOff(failures + 1), cancellationToken).ConfigureAwait(false);
                    joinedAt = hasJoined ? host.Clock.GetTimestamp() : 0;
                    if (!hasJoined) failures++;
                    wait = hasJoined ? exchange.NextRound : BackOff(failures);
                }
                await SleepAsync(wait, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or MeshException)
        {
            // The node stops, or its journal can't go on and it is about to stop.
        }
    }

    /// <summary>The wait after a number of failed rounds: doubled each time, with up to 20 % jitter, so that nodes do not return in step.</summary>
    internal TimeSpan BackOff(int failures)
    {
        double factor = Math.Pow(2, Math.Min(failures - 1, 30));
        double limited = Math.Min(
            host.Options.Bootstrap.RetryDelay.TotalMilliseconds * factor, host.Options.Bootstrap.MaxRetryDelay.TotalMilliseconds);
        return TimeSpan.FromMilliseconds(limited * (1 - (0.2 * Random.Shared.NextDouble())));
    }

    private async Task SleepAsync(TimeSpan time, CancellationToken cancellationToken)
    {
        // The semaphore's own time limit would be the system's clock.
        using var timer = new CancellationTokenSource(time, host.Clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancellationToken);
        try
        {
            await _wake.WaitAsync(both.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // Nobody woke it in time.
        }
    }

    private async Task<IReadOnlyList<Candidate>> CandidatesAsync(CancellationToken cancellationToken)
    {
        List<Candidate> candidates = [];
        DateTimeOffset now = host.Clock.GetUtcNow();
        // The entries carry the certificate, and with it the names: one that is not allowed any more would only be refused.
        ILookup<bool, BootstrapCacheEntry> cached = host.Journal.State.Cache.NewestFirst()
            .Where(entry => host.Gate.MayHaveName(entry.Certificate)).ToLookup(entry => BootstrapCacheDecisions.IsDue(entry, now));
        IReadOnlyList<IPEndPoint> known = await contacts.ResolveAsync(cancellationToken).ConfigureAwait(false);
        candidates.AddRange(cached[true].SelectMany(CandidatesOf));
        candidates.AddRange(known.Select(endpoint => new Candidate(endpoint, null, BootstrapSource.Contact)));
        // Alone, the node tries those too that have failed a short time ago, after all others.
        candidates.AddRange(cached[false].SelectMany(CandidatesOf));
        return [.. candidates.DistinctBy(candidate => candidate.Endpoint)];
    }

    private static IEnumerable<Candidate> CandidatesOf(BootstrapCacheEntry entry) =>
        entry.Endpoints.Select(endpoint => new Candidate(endpoint, entry.Peer, BootstrapSource.Cache));

    /// <summary>Dials all candidates in order with a short stagger; the first that joins wins and the rest is cancelled.</summary>
    private async Task<bool> RaceAsync(IReadOnlyList<Candidate> candidates, TimeSpan retryAfter, CancellationToken cancellationToken)
    {
        using Activity? activity = MeshTelemetry.Source.StartActivity("bootstrap");
        using var race = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        long started = host.Clock.GetTimestamp();
        List<Task<(Candidate Candidate, PeerInfo? Peer)>> dials = [];
        (Candidate? Candidate, PeerInfo? Peer) winner = default;
        foreach (Candidate candidate in candidates)
        {
            dials.Add(DialAsync(candidate, race.Token));
            winner = await FirstJoinedAsync(dials, host.Options.Bootstrap.Stagger, race.Token).ConfigureAwait(false);
            if (winner.Peer is not null) break;
        }
        if (winner.Peer is null) winner = await FirstJoinedAsync(dials, Timeout.InfiniteTimeSpan, race.Token).ConfigureAwait(false);
        int dialled = dials.Count;
        await race.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(dials).ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        activity?.SetTag("eventmesh.bootstrap.candidates", dialled);
        if (winner is { Candidate: { } candidateThatWon, Peer: { } peer })
        {
            host.Journal.Record(new BootstrapSucceeded(
                candidateThatWon.Source, peer.Peer, candidateThatWon.Endpoint, dialled, host.Clock.GetElapsedTime(started)));
            Log.BootstrapSucceeded(host.Logger, peer.Peer.ToShortString(), candidateThatWon.Source.ToString());
            return true;
        }
        activity?.SetStatus(ActivityStatusCode.Error);
        host.Journal.Record(new BootstrapFailed(dialled, retryAfter));
        Log.BootstrapFailed(host.Logger, dialled, retryAfter.TotalSeconds);
        return false;
    }

    /// <summary>The first of the running dials that joins within the time; none when all have failed or the time is over.</summary>
    private async Task<(Candidate? Candidate, PeerInfo? Peer)> FirstJoinedAsync(
        List<Task<(Candidate Candidate, PeerInfo? Peer)>> dials, TimeSpan limit, CancellationToken cancellationToken)
    {
        using var timer = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task timeout = Task.Delay(limit, host.Clock, timer.Token);
        List<Task<(Candidate Candidate, PeerInfo? Peer)>> running = [.. dials];
        while (running.Count > 0)
        {
            Task first = await Task.WhenAny([.. running, timeout]).ConfigureAwait(false);
            if (first == timeout) break;
            var dial = (Task<(Candidate Candidate, PeerInfo? Peer)>)first;
            running.Remove(dial);
            if ((await dial.ConfigureAwait(false)).Peer is not null)
            {
                await timer.CancelAsync().ConfigureAwait(false);
                return await dial.ConfigureAwait(false);
            }
        }
        await timer.CancelAsync().ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        return default;
    }

    private async Task<(Candidate Candidate, PeerInfo? Peer)> DialAsync(Candidate candidate, CancellationToken cancellationToken)
    {
        DiscoverySource source = candidate.Source == BootstrapSource.Cache ? DiscoverySource.Cache : DiscoverySource.Contact;
        try
        {
            return (candidate, await dialer.DialAsync(candidate.Endpoint, candidate.Expected, source, cancellationToken).ConfigureAwait(false));
        }
        catch (Exception e) when (e is MeshException or OperationCanceledException)
        {
            // It is in the log, or another one has won.
            return (candidate, null);
        }
        catch (Exception e)
        {
            Sessions.Internal.Log.DialBroke(host.Logger, e);
            return (candidate, null);
        }
    }
}
