namespace EventMesh.Transport.Ngtcp2.Internal;

/// <summary>
/// A binary heap whose entries know their place: moving a deadline is O(log n), and an entry that ends leaves at once, so
/// that a closed connection is not kept alive by a deadline long past its end.
/// </summary>
internal sealed class TimerHeap
{
    private TimerEntry[] _entries = new TimerEntry[64];

    /// <summary>The entries that have a deadline.</summary>
    public int Count { get; private set; }

    /// <summary>The earliest deadline; <see cref="ulong.MaxValue"/> when there is none.</summary>
    public ulong Earliest => Count == 0 ? ulong.MaxValue : _entries[0].Deadline;

    /// <summary>Sets or moves a deadline; <see cref="ulong.MaxValue"/> takes the entry out.</summary>
    public void Set(TimerEntry entry, ulong deadline)
    {
        if (deadline == ulong.MaxValue)
        {
            Remove(entry);
            return;
        }
        ulong previous = entry.Deadline;
        entry.Deadline = deadline;
        if (entry.HeapIndex < 0)
        {
            if (Count == _entries.Length)
                Array.Resize(ref _entries, Count * 2);
            Place(entry, Count++);
            SiftUp(entry);
        }
        else if (deadline < previous)
        {
            SiftUp(entry);
        }
        else if (deadline > previous)
        {
            SiftDown(entry);
        }
    }

    /// <summary>Takes an entry out; does nothing when it is not in.</summary>
    public void Remove(TimerEntry entry)
    {
        int index = entry.HeapIndex;
        if (index < 0)
            return;
        entry.HeapIndex = -1;
        entry.Deadline = ulong.MaxValue;
        TimerEntry last = _entries[--Count];
        _entries[Count] = null!;
        if (last == entry)
            return;
        Place(last, index);
        SiftUp(last);
        SiftDown(last);
    }

    /// <summary>Takes out the earliest entry when its deadline has passed.</summary>
    public TimerEntry? TakeDue(ulong now)
    {
        if (Count == 0 || _entries[0].Deadline > now)
            return null;
        TimerEntry due = _entries[0];
        Remove(due);
        return due;
    }

    private void Place(TimerEntry entry, int index)
    {
        _entries[index] = entry;
        entry.HeapIndex = index;
    }

    private void SiftUp(TimerEntry entry)
    {
        int index = entry.HeapIndex;
        while (index > 0)
        {
            int parent = (index - 1) / 2;
            if (_entries[parent].Deadline <= entry.Deadline)
                break;
            Place(_entries[parent], index);
            index = parent;
        }
        Place(entry, index);
    }

    private void SiftDown(TimerEntry entry)
    {
        int index = entry.HeapIndex;
        while (true)
        {
            int child = (2 * index) + 1;
            if (child >= Count)
                break;
            if (child + 1 < Count && _entries[child + 1].Deadline < _entries[child].Deadline)
                child++;
            if (_entries[child].Deadline >= entry.Deadline)
                break;
            Place(_entries[child], index);
            index = child;
        }
        Place(entry, index);
    }
}
