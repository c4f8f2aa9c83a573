using System.Net;
using EventMesh.Events;
using EventMesh.Identity;

namespace EventMesh.Bootstrap.Internal;

/// <summary>An address that a bootstrap may dial.</summary>
/// <param name="Endpoint">The address.</param>
/// <param name="Expected">The peer that has to be there; null for a contact.</param>
/// <param name="Source">Where it was known from.</param>
internal sealed record Candidate(IPEndPoint Endpoint, PeerId? Expected, BootstrapSource Source);
