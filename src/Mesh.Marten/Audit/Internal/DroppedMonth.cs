using EventMesh.Events;

namespace EventMesh.Marten.Audit.Internal;

/// <summary>A month that an event of the log says was dropped, and how many of its places a walk found empty.</summary>
internal sealed class DroppedMonth(long place, SegmentDropped data)
{
    /// <summary>The place of the event.</summary>
    public long Place => place;

    public SegmentDropped Data => data;

    /// <summary>The empty places between its first and its last.</summary>
    public long Missing { get; set; }

    public bool Covers(long at) => data.FirstSeq <= at && at <= data.LastSeq;

    /// <summary>The link of its last event, which what follows is linked to.</summary>
    public byte[]? Head => data.Head is { } head ? Bytes(head) : null;

    private static byte[]? Bytes(string text)
    {
        byte[] bytes = new byte[64];
        return text.Length < 64 && Convert.TryFromBase64String(text, bytes, out int written) ? bytes[..written] : null;
    }
}
