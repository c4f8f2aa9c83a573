using System.Net;
using EventMesh.Bootstrap;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Messaging;
using EventMesh.Projections;

namespace EventMesh.Tests.Common.Hosting;

/// <summary>A cache over a journal and a mesh that a test plays: it decides like the node's, and takes every peer that a dial returns.</summary>
public sealed class FakeCache(IMesh mesh, IEventJournal journal) : IBootstrapCache
{
    public async Task<BootstrapCacheEntry> AddAsync(IPEndPoint endpoint, PeerId? expected, CancellationToken cancellationToken)
    {
        PeerInfo peer = await mesh.ConnectAsync(endpoint, expected, cancellationToken);
        journal.Decide(state => BootstrapCacheDecisions.Connected(state, peer.Peer, [endpoint], [1], ConnectionDirection.Outbound));
        return journal.State.Cache.Entries[peer.Peer];
    }

    public Task<BootstrapCacheEntry?> RemoveAsync(PeerId peer, CancellationToken cancellationToken)
    {
        BootstrapCacheEntry? entry = journal.State.Cache.Entries.GetValueOrDefault(peer);
        journal.Decide(state => BootstrapCacheDecisions.Removed(state, peer));
        return Task.FromResult(entry);
    }

    public Task<CacheImport> ImportAsync(IReadOnlyList<CacheRecord> records, CancellationToken cancellationToken)
    {
        int known = records.Count(record => journal.State.Cache.Entries.ContainsKey(record.Peer));
        int added = journal.Decide(state => BootstrapCacheDecisions.Imported(state, records)).Count;
        return Task.FromResult(new CacheImport(added, known, records.Count - known - added));
    }
}
