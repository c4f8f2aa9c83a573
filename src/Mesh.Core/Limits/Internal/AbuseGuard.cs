using System.Net;
using EventMesh.Diagnostics;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Node;
using EventMesh.Projections;
using EventMesh.Trust;
using EventMesh.Trust.Internal;
using EventMesh.Wire;
using Microsoft.Extensions.Logging;

namespace EventMesh.Limits.Internal;

/// <summary>
/// Counts connections and offences by source and by peer, and blocks for a time who breaks the rules too often. Only who has ended a TLS handshake is counted: its
/// address is validated, so that nobody is blocked for what somebody else sent in his name.
/// </summary>
internal sealed class AbuseGuard(LimitOptions limits, TrustLedger trust, TimeProvider clock, ILogger logger)
{
    /// <summary>How many sources and peers are remembered, each: 4,096, some 1 MiB in all.</summary>
    public const int MaxRemembered = 4096;

    private const int LinesPerSecond = 10;
    private const int LineBurst = 500;

    private readonly Lock _mutex = new();
    private readonly BoundedTable<IPNetwork, TokenBucket> _connections = new(MaxRemembered);
    private readonly BoundedTable<IPNetwork, ViolationScore> _sources = new(MaxRemembered);
    private readonly BoundedTable<PeerId, ViolationScore> _peers = new(MaxRemembered);
    private readonly TokenBucket _lines = new(LinesPerSecond, LineBurst, clock);
    private long _suppressed;

    /// <summary>
    /// Whether a source may begin another handshake: not one of this network or machine that has come too often, since it can't be blocked as a whole. Others are
    /// refused after the handshake, which costs them points.
    /// </summary>
    public bool Admits(IPAddress address)
    {
        IPAddress source = EndpointCodec.Normalize(address);
        if (AddressScope.IsGlobal(source)) return true;
        // Asked with addresses that may be spoofed: nothing is remembered, nothing taken.
        lock (_mutex) return !_connections.TryGet(AddressPrefix.SourceOf(source), out TokenBucket? bucket) || !bucket.IsEmpty;
    }

    /// <summary>Counts a connection whose handshake has ended; false when its source comes too often.</summary>
    public bool TryConnect(IPAddress address)
    {
        IPAddress source = EndpointCodec.Normalize(address);
        IPNetwork key = AddressPrefix.SourceOf(source);
        lock (_mutex)
        {
            if (!_connections.TryGet(key, out TokenBucket? bucket))
            {
                bucket = AddressScope.IsGlobal(source)
                    ? new TokenBucket(limits.ConnectionsPerSecondPerSource, limits.ConnectionBurstPerSource, clock)
                    : new TokenBucket(limits.ConnectionsPerSecondPerPrivateSource, limits.ConnectionBurstPerPrivateSource, clock);
                _connections.Set(key, bucket);
            }
            return bucket.TryTake();
        }
    }

    /// <summary>Counts an offence and blocks the peer, and its source where that is globally routable, when it is one too many. Never fails.</summary>
    /// <param name="peer">The peer, proven by TLS.</param>
    /// <param name="address">Where it is, validated.</param>
    /// <param name="offence">What it did.</param>
    public void Report(PeerId peer, IPAddress address, Offence offence)
    {
        IPAddress source = EndpointCodec.Normalize(address);
        IPNetwork prefix = AddressPrefix.SourceOf(source);
        bool isGlobal = AddressScope.IsGlobal(source);
        bool isTrusted = trust.IsTrusted(peer);
        DateTimeOffset now = clock.GetUtcNow();
        int score = 0;
        bool blocks;
        lock (_mutex)
        {
            if (!isTrusted)
            {
                score = Count(_peers, peer, offence, now);
                // Where keys are free the source is what counts; but a private or loopback one may be many honest nodes.
                if (isGlobal) score = Math.Max(score, Count(_sources, prefix, offence, now));
            }
            blocks = score >= limits.AbuseScore && limits.AbuseBlock > TimeSpan.Zero;
            if (blocks)
            {
                _peers.Remove(peer);
                _sources.Remove(prefix);
            }
        }
        MeshMetrics.Offences.Add(1, new KeyValuePair<string, object?>(MeshTelemetry.Attributes.ErrorType, offence.ToString()));
        Tell(peer, source, offence, score, blocks ? "blocked" : isTrusted ? "trusted" : "none");
        if (blocks) Block(peer, isGlobal ? prefix : null, offence, now);
    }

    private void Block(PeerId peer, IPNetwork? source, Offence offence, DateTimeOffset now)
    {
        string reason = $"Too many offences, the last one {offence}.";
        DateTimeOffset until = now + limits.AbuseBlock;
        try
        {
            trust.Restrict(state => Decide(state, peer, source, reason, until, now));
        }
        catch (MeshException e)
        {
            // The node stops or has lost its log: nobody is a peer any more.
            Log.NotRecorded(logger, e.Message);
        }
    }

    private static IEnumerable<IMeshEvent> Decide(MeshState state, PeerId peer, IPNetwork? source, string reason, DateTimeOffset until, DateTimeOffset now)
    {
        IEnumerable<IMeshEvent> decided = TrustDecisions.BlockForAbuse(state, peer, reason, until, now);
        if (source is { } prefix) decided = decided.Concat(TrustDecisions.BlockForAbuse(state, prefix, reason, until, now));
        // Both may evict one node.
        return decided.Distinct();
    }

    private int Count<TKey>(BoundedTable<TKey, ViolationScore> scores, TKey key, Offence offence, DateTimeOffset now)
        where TKey : notnull
    {
        ViolationScore score = (scores.TryGet(key, out ViolationScore known) ? known : default).Add(offence, now, limits.AbuseHalfLife);
        scores.Set(key, score);
        // Rounded: points that come in a row must not miss the limit by what has faded between them.
        return (int)Math.Round(score.Points);
    }

    private void Tell(PeerId peer, IPAddress source, Offence offence, int score, string action)
    {
        // A block is always told; of the rest the next line says how many were not.
        if (action != "blocked" && !_lines.TryTake())
        {
            Interlocked.Increment(ref _suppressed);
            return;
        }
        Log.Offence(
            logger, offence, source.ToString(), peer.ToString(), ViolationScore.PointsOf(offence), score, action, Interlocked.Exchange(ref _suppressed, 0));
    }
}
