using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EventMesh.Bootstrap;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Messaging;
using EventMesh.Projections;
using EventMesh.Wire;

namespace EventMesh.Node;

/// <summary>What operators do with the bootstrap cache.</summary>
public sealed partial class MeshNode : IBootstrapCache
{
    async Task<BootstrapCacheEntry> IBootstrapCache.AddAsync(IPEndPoint endpoint, PeerId? expected, CancellationToken cancellationToken)
    {
        PeerInfo peer = await ConnectAsync(endpoint, expected, cancellationToken).ConfigureAwait(false);
        if (peer.Endpoints.Any(Started(_cache).IsContact))
        {
            throw new MeshException(
                MeshError.InvalidConfiguration, $"{endpoint} is a hard-coded contact (EventMesh:Contacts): contacts are never cached.");
        }
        if (!_journal.State.Cache.Entries.TryGetValue(peer.Peer, out BootstrapCacheEntry? entry))
        {
            throw new MeshException(
                MeshError.ReverseCheckFailed, $"Peer {peer.Peer.ToShortString()} is joined as a client: only nodes that can be dialled are cached.");
        }
        return entry;
    }

    async Task<BootstrapCacheEntry?> IBootstrapCache.RemoveAsync(PeerId peer, CancellationToken cancellationToken)
    {
        BootstrapCacheEntry? entry = _journal.State.Cache.Entries.GetValueOrDefault(peer);
        if (Started(_cache).Remove(peer) is not { } removed) return null;
        await _journal.WhenDurableAsync(removed, cancellationToken).ConfigureAwait(false);
        return entry;
    }

    async Task<CacheImport> IBootstrapCache.ImportAsync(IReadOnlyList<CacheRecord> records, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(records);
        foreach (CacheRecord record in records) Check(record);
        (CacheImport result, RecordedEvent? last) = Started(_cache).Import(records);
        if (last is not null) await _journal.WhenDurableAsync(last, cancellationToken).ConfigureAwait(false);
        return result;
    }

    private static void Check(CacheRecord record)
    {
        string name = record.Peer.ToShortString();
        if (record.Endpoints.Count is 0 or > WireLimits.ListenEndpoints
            || !record.Endpoints.All(endpoint => endpoint.Port != 0 && AddressScope.IsUnicast(endpoint.Address)))
            throw new MeshException(MeshError.InvalidConfiguration, $"The entry of peer {name} needs 1 to {WireLimits.ListenEndpoints} addresses that can be dialled.");
        try
        {
            using X509Certificate2 certificate = X509CertificateLoader.LoadCertificate(record.Certificate);
            if (PeerId.FromCertificate(certificate) == record.Peer) return;
        }
        catch (CryptographicException e)
        {
            throw new MeshException(MeshError.InvalidConfiguration, $"The certificate of peer {name} can't be read: {e.Message}", e);
        }
        throw new MeshException(MeshError.InvalidConfiguration, $"The certificate of peer {name} is another peer's.");
    }
}
