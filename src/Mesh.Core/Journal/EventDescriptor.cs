using EventMesh.Events;

namespace EventMesh.Journal;

/// <summary>One event that a log may hold.</summary>
/// <param name="WireName">Its name on disk with its version: <c>peer.joined.v1</c>.</param>
/// <param name="Type">Its CLR type.</param>
/// <param name="Family">The streams that it belongs to.</param>
public sealed record EventDescriptor(string WireName, Type Type, StreamFamily Family);
