using System.Collections.Immutable;
using System.Net;
using EventMesh.Node;
using EventMesh.Trust.Internal;
using EventMesh.Wire;
using Microsoft.Extensions.Logging;

namespace EventMesh.Bootstrap.Internal;

/// <summary>The hard-coded contacts and their addresses: dialled last, never cached.</summary>
internal sealed class ContactBook(MeshOptions options, ILogger logger)
{
    // A name server may answer something else each time.
    private const int MaxKnown = 4096;

    private ImmutableHashSet<IPEndPoint> _known = [];
    private ImmutableDictionary<string, ImmutableArray<IPEndPoint>> _latest = ImmutableDictionary<string, ImmutableArray<IPEndPoint>>.Empty;

    /// <summary>Whether an address is a contact's.</summary>
    public bool Contains(IPEndPoint endpoint) => Volatile.Read(ref _known).Contains(endpoint);

    /// <summary>The contacts that had an address when they were last looked up.</summary>
    public IReadOnlyList<ContactName> ContactsAt(IPEndPoint endpoint) =>
    [
        .. Volatile.Read(ref _latest).Where(entry => entry.Value.Contains(endpoint)).Select(entry => new ContactName(
            entry.Key, entry.Value.GroupBy(e => e.AddressFamily).All(family => family.Count() == 1))),
    ];

    /// <summary>The contacts' addresses now; a name that is not found is left out this time.</summary>
    public async Task<IReadOnlyList<IPEndPoint>> ResolveAsync(CancellationToken cancellationToken)
    {
        List<IPEndPoint> found = [];
        foreach (string contact in options.Contacts)
        {
            try
            {
                IReadOnlyList<IPEndPoint> resolved = await ContactAddress.ResolveAsync(contact, cancellationToken).ConfigureAwait(false);
                ImmutableArray<IPEndPoint> endpoints = [.. resolved.Select(EndpointCodec.Normalize)];
                found.AddRange(endpoints);
                if (ContactAddress.Canonical(contact) is { } name) Volatile.Write(ref _latest, _latest.SetItem(name, endpoints));
            }
            catch (MeshException e)
            {
                Log.ContactNotResolved(logger, e.Message);
            }
        }
        Volatile.Write(ref _known, (_known.Count > MaxKnown ? [] : _known).Union(found));
        return found;
    }
}
