namespace EventMesh.Transport.Ngtcp2.Internal;

/// <summary>Something with one deadline; its place in the <see cref="TimerHeap"/> is part of it, so that it can be taken out.</summary>
internal abstract class TimerEntry
{
    /// <value>The place in the heap; -1 outside.</value>
    internal int HeapIndex { get; set; } = -1;

    /// <value>Nanoseconds of the monotonic clock.</value>
    internal ulong Deadline { get; set; } = ulong.MaxValue;

    /// <summary>Called once the deadline has passed; the entry is out of the heap by then.</summary>
    internal abstract void OnTimer(ulong now);
}
