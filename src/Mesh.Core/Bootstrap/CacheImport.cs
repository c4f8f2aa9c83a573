namespace EventMesh.Bootstrap;

/// <summary>What became of imported nodes.</summary>
/// <param name="Added">Nodes that entered the cache.</param>
/// <param name="Known">Nodes that were in it already.</param>
/// <param name="Refused">Nodes for which there was no room, hard-coded contacts, and this node itself.</param>
public sealed record CacheImport(int Added, int Known, int Refused);
