using EventMesh.Plugins.Loading.Internal;

namespace EventMesh.Plugins.Internal;

/// <summary>The handlers of the embedding application, resolved from its own container.</summary>
/// <param name="Handlers">What was found in the assemblies that it named.</param>
/// <param name="Version">The version of the first of them; null when it named none, and uses topics at most.</param>
internal sealed record ApplicationHandlers(HandlerSet Handlers, string? Version)
{
    /// <summary>Whether the application named an assembly.</summary>
    public bool IsPresent => Version is not null;
}
