using System.Collections.Concurrent;
using EventMesh.Dispatch;
using EventMesh.Identity;

namespace EventMesh.Plugins.Tests;

/// <summary>Keeps whom a dispatcher tells of.</summary>
internal sealed class HandlerFailures : IHandlerFailures
{
    public ConcurrentQueue<PeerId> Peers { get; } = [];

    public void Report(PeerId peer) => Peers.Enqueue(peer);
}
