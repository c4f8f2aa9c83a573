using EventMesh.Identity;

namespace EventMesh.Dispatch;

/// <summary>Where a dispatcher tells that a peer's message or request made a handler fail: it counts against the peer. May be called concurrently; never fails.</summary>
public interface IHandlerFailures
{
    /// <summary>A handler failed at what a peer sent.</summary>
    void Report(PeerId peer);
}
