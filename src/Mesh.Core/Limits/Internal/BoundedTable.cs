using System.Diagnostics.CodeAnalysis;

namespace EventMesh.Limits.Internal;

/// <summary>
/// What is remembered of those who came last: at most so many, the one that was not asked for longest goes first. For what is keyed by remote input. Not safe for
/// concurrent use.
/// </summary>
internal sealed class BoundedTable<TKey, TValue>(int capacity)
    where TKey : notnull
{
    private readonly Dictionary<TKey, LinkedListNode<(TKey Key, TValue Value)>> _nodes = [];
    private readonly LinkedList<(TKey Key, TValue Value)> _byUse = new();

    public int Count => _nodes.Count;

    /// <summary>The value of a key, which counts as used.</summary>
    public bool TryGet(TKey key, [MaybeNullWhen(false)] out TValue value)
    {
        value = default;
        if (!_nodes.TryGetValue(key, out LinkedListNode<(TKey Key, TValue Value)>? node)) return false;
        _byUse.Remove(node);
        _byUse.AddLast(node);
        value = node.Value.Value;
        return true;
    }

    /// <summary>Sets the value of a key, which counts as used; the least recently used one makes room.</summary>
    public void Set(TKey key, TValue value)
    {
        if (_nodes.Remove(key, out LinkedListNode<(TKey Key, TValue Value)>? old)) _byUse.Remove(old);
        else if (_nodes.Count >= capacity) Remove(_byUse.First!.Value.Key);
        _nodes[key] = _byUse.AddLast((key, value));
    }

    public void Remove(TKey key)
    {
        if (_nodes.Remove(key, out LinkedListNode<(TKey Key, TValue Value)>? node)) _byUse.Remove(node);
    }
}
