using System.Runtime.CompilerServices;
using System.Threading.Channels;
using EventMesh.Events;

namespace EventMesh.Journal.Internal;

/// <summary>The readers of events as they are recorded. <see cref="Publish"/> is serialised by the journal.</summary>
internal sealed class JournalFollowers
{
    public const int Capacity = 8192;

    private readonly Lock _mutex = new();
    private Channel<RecordedEvent>[] _channels = [];
    private MeshException? _failure;
    private bool _isCompleted;

    public Channel<RecordedEvent> Add()
    {
        var channel = Channel.CreateBounded<RecordedEvent>(new BoundedChannelOptions(Capacity) { SingleReader = true });
        lock (_mutex)
        {
            if (_isCompleted)
                channel.Writer.Complete(_failure);
            else
                Volatile.Write(ref _channels, [.. _channels, channel]);
        }
        return channel;
    }

    public void Publish(RecordedEvent recorded)
    {
        foreach (Channel<RecordedEvent> channel in Volatile.Read(ref _channels))
        {
            if (channel.Writer.TryWrite(recorded))
                continue;
            Remove(channel);
            channel.Writer.TryComplete(new MeshException(
                MeshError.QueueFull, $"A reader of the journal fell more than {Capacity} events behind; it can go on from the store."));
        }
    }

    public void Complete(MeshException? failure)
    {
        Channel<RecordedEvent>[] channels;
        lock (_mutex)
        {
            if (_isCompleted)
                return;
            _isCompleted = true;
            _failure = failure;
            channels = _channels;
            Volatile.Write(ref _channels, []);
        }
        foreach (Channel<RecordedEvent> channel in channels)
            channel.Writer.TryComplete(failure);
    }

    public async IAsyncEnumerable<RecordedEvent> ReadAsync(Channel<RecordedEvent> channel, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        try
        {
            await foreach (RecordedEvent recorded in channel.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
                yield return recorded;
        }
        finally
        {
            Remove(channel);
        }
    }

    private void Remove(Channel<RecordedEvent> channel)
    {
        lock (_mutex)
            Volatile.Write(ref _channels, [.. _channels.Where(other => other != channel)]);
    }
}
