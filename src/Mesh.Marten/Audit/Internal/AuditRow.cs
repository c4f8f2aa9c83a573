using EventMesh.Identity;
using EventMesh.Journal.Internal;

namespace EventMesh.Marten.Audit.Internal;

/// <summary>An event as it is stored: nothing of it is read into a type of this program.</summary>
internal sealed record AuditRow(
    long Place, Guid Id, string Type, byte[] Data, DateTimeOffset Time, int Epoch, string? Trace, byte[]? Link, string Stream)
{
    /// <summary>The digest that it was recorded with, where it was erased since.</summary>
    public byte[]? Was { get; init; }

    /// <summary>The erasures that changed it, in order: the place of each one's event and the digest of the content that it left.</summary>
    public IReadOnlyList<(long By, byte[] Digest)> Erasures { get; init; } = [];

    /// <summary>The digest of what is stored.</summary>
    public byte[] Digest(NodeId node) => EventChain.Digest(node, Id, Epoch, Place, Time, Type, Data, Trace);
}
