namespace EventMesh.Journal;

/// <summary>The end of what is committed of a node's log, with the link of its chain: it stands for every event before.</summary>
/// <param name="Place">The last place.</param>
/// <param name="Hash">The link there, 32 bytes.</param>
public sealed record LogHead(long Place, byte[] Hash);
