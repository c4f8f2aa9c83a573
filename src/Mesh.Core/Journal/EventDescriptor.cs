using EventMesh.Events;

namespace EventMesh.Journal;

/// <summary>One event that a log may hold, in one version.</summary>
/// <param name="WireName">Its name on disk with its version: <c>peer.joined.v1</c>.</param>
/// <param name="Type">Its CLR type, which has the shape of the newest version.</param>
/// <param name="Family">The streams that it belongs to.</param>
public sealed record EventDescriptor(string WireName, Type Type, StreamFamily Family)
{
    /// <summary>What brings the content of this version to the newest, in order; empty for the newest, the only one that is written.</summary>
    public IReadOnlyList<EventUpcast> Upcasts { get; init; } = [];
}
