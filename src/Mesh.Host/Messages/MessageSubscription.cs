using System.Runtime.CompilerServices;
using System.Threading.Channels;
using EventMesh.Host.Endpoints;
using EventMesh.Notifications;

namespace EventMesh.Host.Messages;

/// <summary>A bounded queue of received messages for one watcher. A watcher that is too slow is told so and ended: it never misses one in silence.</summary>
internal sealed class MessageSubscription : IDisposable
{
    /// <summary>Messages that wait for the watcher at most.</summary>
    public const int MaxMessages = 8_192;

    /// <summary>Bytes of content that wait for the watcher at most: 64 MiB; a single larger message may wait alone.</summary>
    public const long MaxBytes = 64L * 1024 * 1024;

    private readonly string _pattern;
    private readonly TimeProvider _time;
    private readonly Action<MessageSubscription> _remove;
    private readonly Channel<MessageView> _queue = Channel.CreateBounded<MessageView>(new BoundedChannelOptions(MaxMessages)
    {
        SingleReader = true,
        FullMode = BoundedChannelFullMode.Wait,
    });

    private long _bytes;

    public MessageSubscription(string pattern, TimeProvider time, Action<MessageSubscription> remove)
    {
        _pattern = pattern;
        _time = time;
        _remove = remove;
    }

    /// <summary>Hands a message over when it is of the channel; false when it is not, or when the subscription has ended.</summary>
    public bool Offer(MessageReceived message)
    {
        if (!Matches(message.Channel)) return false;
        int length = message.Payload.Length;
        long bytes = Interlocked.Add(ref _bytes, length);
        bool fits = bytes <= MaxBytes || bytes == length;
        byte[] payload = message.Payload.ToArray();
        MessageView view = new(
            message.Id.ToString(), message.From, message.Channel, _time.GetUtcNow(), PayloadText.From(payload), payload);
        if (fits && _queue.Writer.TryWrite(view)) return true;
        Interlocked.Add(ref _bytes, -length);
        _queue.Writer.TryComplete(new MeshException(
            MeshError.QueueFull, $"The watcher fell more than {MaxMessages} messages or {MaxBytes >> 20} MiB behind and misses messages from here on. Read faster."));
        return false;
    }

    /// <summary>The messages; the sequence fails with <see cref="MeshError.QueueFull"/> after the last one that fitted.</summary>
    public async IAsyncEnumerable<MessageView> ReadAllAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (MessageView message in _queue.Reader.ReadAllAsync(cancellationToken))
        {
            Interlocked.Add(ref _bytes, -message.Payload.Length);
            yield return message;
        }
    }

    public void Dispose()
    {
        _remove(this);
        _queue.Writer.TryComplete();
    }

    private bool Matches(string channel) => _pattern.EndsWith('*')
        ? channel.AsSpan().StartsWith(_pattern.AsSpan(0, _pattern.Length - 1), StringComparison.Ordinal)
        : string.Equals(channel, _pattern, StringComparison.Ordinal);
}
