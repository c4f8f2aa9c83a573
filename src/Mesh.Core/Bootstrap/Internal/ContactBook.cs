using System.Collections.Immutable;
using System.Net;
using EventMesh.Node;
using EventMesh.Wire;
using Microsoft.Extensions.Logging;

namespace EventMesh.Bootstrap.Internal;

/// <summary>The hard-coded contacts and their addresses: dialled last, never cached.</summary>
internal sealed class ContactBook(MeshOptions options, ILogger logger)
{
    private ImmutableHashSet<IPEndPoint> _known = [];

    /// <summary>Whether an address is a contact's.</summary>
    public bool Contains(IPEndPoint endpoint) => Volatile.Read(ref _known).Contains(endpoint);

    /// <summary>The contacts' addresses now; a name that is not found is left out this time.</summary>
    public async Task<IReadOnlyList<IPEndPoint>> ResolveAsync(CancellationToken cancellationToken)
    {
        List<IPEndPoint> found = [];
        foreach (string contact in options.Contacts)
        {
            try
            {
                found.AddRange((await ContactAddress.ResolveAsync(contact, cancellationToken).ConfigureAwait(false)).Select(EndpointCodec.Normalize));
            }
            catch (MeshException e)
            {
                Log.ContactNotResolved(logger, e.Message);
            }
        }
        Volatile.Write(ref _known, _known.Union(found));
        return found;
    }
}
