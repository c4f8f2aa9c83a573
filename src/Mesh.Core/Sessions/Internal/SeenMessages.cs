using EventMesh.Identity;
using EventMesh.Messaging;

namespace EventMesh.Sessions.Internal;

/// <summary>
/// The messages that may come again: the last 65,536 of each peer's process, for as many peers as may be joined, in memory only. A peer takes at
/// most about 3 MiB; the peer that has sent none for longest gives way.
/// </summary>
internal sealed class SeenMessages(int maxPeers, int maxOfPeer = SeenMessages.DefaultMaxOfPeer)
{
    public const int DefaultMaxOfPeer = 65_536;

    private static readonly Task<MeshError?> Handled = Task.FromResult<MeshError?>(null);

    private readonly Lock _mutex = new();
    private readonly Dictionary<PeerId, Seen> _peers = [];
    private long _uses;

    /// <summary>Handles a message, or gives the result of its first handling when it was seen before, also while that is under way.</summary>
    /// <param name="id">Its identity.</param>
    /// <param name="handle">Handles it; called at most once for an identity that is remembered.</param>
    /// <param name="isRepeated">Whether it was seen before.</param>
    public Task<MeshError?> HandleOnce(MessageId id, Func<Task<MeshError?>> handle, out bool isRepeated)
    {
        var result = new TaskCompletionSource<MeshError?>(TaskCreationOptions.RunContinuationsAsynchronously);
        Seen seen;
        lock (_mutex)
        {
            seen = SeenOf(id);
            isRepeated = seen.Results.TryGetValue(id.Sequence, out Task<MeshError?>? earlier);
            if (earlier is not null) return earlier;
            if (seen.Order.Count >= maxOfPeer) seen.Results.Remove(seen.Order.Dequeue());
            seen.Order.Enqueue(id.Sequence);
            seen.Results.Add(id.Sequence, result.Task);
        }
        _ = CompleteAsync(handle(), result, seen, id.Sequence);
        return result.Task;
    }

    private async Task CompleteAsync(Task<MeshError?> handling, TaskCompletionSource<MeshError?> result, Seen seen, ulong sequence)
    {
        MeshError? error = await handling.ConfigureAwait(false);
        lock (_mutex)
        {
            // Nearly all end so, and need no task each.
            if (error is null && seen.Results.ContainsKey(sequence)) seen.Results[sequence] = Handled;
        }
        result.SetResult(error);
    }

    private Seen SeenOf(MessageId id)
    {
        if (_peers.TryGetValue(id.Sender, out Seen? seen) && seen.Instance == id.Instance)
        {
            seen.LastUse = ++_uses;
            return seen;
        }
        // A new process of the peer counts from 1 again and repeats nothing of the old one.
        if (seen is null && _peers.Count >= maxPeers) _peers.Remove(_peers.MinBy(peer => peer.Value.LastUse).Key);
        return _peers[id.Sender] = new Seen(id.Instance) { LastUse = ++_uses };
    }

    private sealed class Seen(Guid instance)
    {
        public readonly Dictionary<ulong, Task<MeshError?>> Results = [];
        public readonly Queue<ulong> Order = [];

        public Guid Instance => instance;

        public long LastUse { get; set; }
    }
}
