using System.Net;
using EventMesh.Bootstrap;
using EventMesh.Projections;

namespace EventMesh.Host.Endpoints;

/// <summary>What <c>mesh cache export</c> writes and <c>mesh cache import</c> reads.</summary>
/// <param name="Format">Always <c>eventmesh-cache</c>.</param>
/// <param name="Version">The version of the format: 1.</param>
/// <param name="Entries">The nodes, the most recently connected first.</param>
internal sealed record CacheFile(string Format, int Version, IReadOnlyList<CacheFileEntry> Entries)
{
    private const string Name = "eventmesh-cache";

    /// <summary>The file of a cache.</summary>
    public static CacheFile From(IEnumerable<BootstrapCacheEntry> entries) => new(
        Name, 1, [.. entries.Select(entry => new CacheFileEntry(entry.Peer, [.. entry.Endpoints.Select(e => e.ToString())], entry.Certificate))]);

    /// <summary>The nodes in it.</summary>
    /// <exception cref="MeshException"><see cref="MeshError.InvalidConfiguration"/>: it is none of this program's files, or malformed.</exception>
    public IReadOnlyList<CacheRecord> ToRecords()
    {
        if (Format != Name || Version != 1 || Entries is null or { Count: > 10_000 })
            throw new MeshException(MeshError.InvalidConfiguration, "That is no exported cache of version 1: make one with `mesh cache export`.");
        return [.. Entries.Select(entry => new CacheRecord(entry.Peer, [.. (entry.Endpoints ?? []).Select(Parse)], entry.Certificate ?? []))];
    }

    private static IPEndPoint Parse(string text) => IPEndPoint.TryParse(text, out IPEndPoint? endPoint)
        ? endPoint
        : throw new MeshException(MeshError.InvalidConfiguration, $"'{text}' in the exported cache is not an address and a port.");
}

/// <summary>A node in a <see cref="CacheFile"/>.</summary>
/// <param name="Peer">Its identity.</param>
/// <param name="Endpoints">Where it can be dialled, the proven one first.</param>
/// <param name="Certificate">Its certificate, DER in base64.</param>
internal sealed record CacheFileEntry(PeerId Peer, IReadOnlyList<string> Endpoints, byte[] Certificate);
