namespace EventMesh.Events;

/// <summary>
/// A fact of a node's log: an immutable record in the past tense with a <see cref="MeshEventAttribute"/>. A published event
/// never changes its shape; a new shape is a new version.
/// </summary>
#pragma warning disable CA1040 // A marker: the log accepts nothing else.
public interface IMeshEvent;
#pragma warning restore CA1040
