using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using EventMesh.Projections;

namespace EventMesh.Trust.Internal;

/// <summary>The blocked ranges, made for being asked with each first packet: a look-up for each length that is in use, not for each range.</summary>
internal sealed class PrefixIndex(ImmutableDictionary<IPNetwork, TrustBlock> source)
{
    private readonly FrozenDictionary<IPNetwork, TrustBlock> _blocks = source.ToFrozenDictionary();
    private readonly int[] _lengths4 = Lengths(source, AddressFamily.InterNetwork);
    private readonly int[] _lengths6 = Lengths(source, AddressFamily.InterNetworkV6);

    /// <summary>What it was made of: another ledger has another one.</summary>
    public ImmutableDictionary<IPNetwork, TrustBlock> Source { get; } = source;

    /// <summary>The block of an address that holds at a time, an operator's before an automatic one; null for none.</summary>
    public TrustBlock? BlockOf(IPAddress address, DateTimeOffset now)
    {
        TrustBlock? automatic = null;
        foreach (int length in address.AddressFamily == AddressFamily.InterNetwork ? _lengths4 : _lengths6)
        {
            if (!_blocks.TryGetValue(AddressPrefix.Create(address, length), out TrustBlock? block) || !block.IsInForce(now)) continue;
            if (!block.IsAutomatic) return block;
            automatic = block;
        }
        return automatic;
    }

    private static int[] Lengths(ImmutableDictionary<IPNetwork, TrustBlock> source, AddressFamily family) =>
        [.. source.Keys.Where(prefix => prefix.BaseAddress.AddressFamily == family).Select(prefix => prefix.PrefixLength).Distinct().Order()];
}
