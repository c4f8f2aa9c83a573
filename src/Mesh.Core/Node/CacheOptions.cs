namespace EventMesh.Node;

/// <summary>The bootstrap cache: section <c>EventMesh:Cache</c>.</summary>
public sealed class CacheOptions
{
    /// <value>
    /// How many cached nodes may be in one globally routable network, /24 of IPv4 or /48 of IPv6. Defaults to 8; 1 to 200. More makes it easier
    /// for the owner of one network to fill the cache.
    /// </value>
    public int MaxPerPrefix { get; set; } = Bootstrap.BootstrapCacheDecisions.DefaultMaxPerPrefix;

    /// <value>
    /// How often a cached node that is not joined is tried, with up to 50 % jitter. Defaults to 2 min; at least 1 s, zero for never. Each try is a dial,
    /// and its connection stays until the next one.
    /// </value>
    public TimeSpan FeelerInterval { get; set; } = TimeSpan.FromMinutes(2);
}
