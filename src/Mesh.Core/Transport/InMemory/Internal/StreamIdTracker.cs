namespace EventMesh.Transport.InMemory.Internal;

/// <summary>Which streams of one direction the peer has opened: packets of new ones may arrive in any order, and of old ones late.</summary>
internal sealed class StreamIdTracker
{
    private readonly HashSet<long> _ahead = [];
    private long _next;

    /// <summary>Takes note of a stream's number; false when it was seen before.</summary>
    public bool Add(long number)
    {
        if (number < _next || !_ahead.Add(number))
            return false;
        while (_ahead.Remove(_next))
            _next++;
        return true;
    }
}
