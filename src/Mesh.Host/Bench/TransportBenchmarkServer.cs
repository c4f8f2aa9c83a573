using System.Buffers;
using EventMesh.Transport;

namespace EventMesh.Host.Bench;

/// <summary>The listening end of the benchmark: the first byte of a stream says what it is for.</summary>
internal sealed class TransportBenchmarkServer(ITransportEndpoint endpoint)
{
    /// <summary>Counted, not answered.</summary>
    public const byte Bulk = (byte)'B';

    /// <summary>One message of <see cref="MessageBytes"/>.</summary>
    public const byte Message = (byte)'F';

    /// <summary>Messages of <see cref="MessageBytes"/> that come back.</summary>
    public const byte Echo = (byte)'E';

    /// <summary>The length of a message, bytes.</summary>
    public const int MessageBytes = 256;

    private const int BufferBytes = 64 * 1024;

    private long _bytes;
    private long _messages;

    /// <summary>Bytes counted so far.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Messages counted so far.</summary>
    public long Messages => Interlocked.Read(ref _messages);

    /// <summary>Accepts until the endpoint is disposed.</summary>
    public async Task RunAsync()
    {
        try
        {
            while (true)
                _ = ServeAsync(await endpoint.AcceptAsync(CancellationToken.None).ConfigureAwait(false));
        }
        catch (ObjectDisposedException)
        {
            // The end of the run.
        }
    }

    private async Task ServeAsync(ITransportConnection connection)
    {
        try
        {
            while (true)
                _ = ServeAsync(await connection.AcceptStreamAsync(CancellationToken.None).ConfigureAwait(false));
        }
        catch (MeshException)
        {
            await connection.DisposeAsync().ConfigureAwait(false);
        }
    }

    private async Task ServeAsync(ITransportStream stream)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            // Of a two-way stream only its purpose: the rest is read as messages.
            int count = await stream.ReadAsync(buffer.AsMemory(0, stream.CanWrite ? 1 : BufferBytes), CancellationToken.None).ConfigureAwait(false);
            switch (count == 0 ? default : buffer[0])
            {
                case Bulk:
                    await CountBytesAsync(stream, buffer, count).ConfigureAwait(false);
                    break;
                case Message:
                    await CountMessageAsync(stream, buffer, count).ConfigureAwait(false);
                    break;
                case Echo:
                    await EchoAsync(stream, buffer).ConfigureAwait(false);
                    break;
            }
        }
        catch (MeshException)
        {
            // The dialling end has closed.
        }
        finally
        {
            await stream.DisposeAsync().ConfigureAwait(false);
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async Task CountBytesAsync(ITransportStream stream, byte[] buffer, int count)
    {
        do
        {
            Interlocked.Add(ref _bytes, count);
            count = await stream.ReadAsync(buffer, CancellationToken.None).ConfigureAwait(false);
        }
        while (count > 0);
    }

    private async Task CountMessageAsync(ITransportStream stream, byte[] buffer, int count)
    {
        int total = 0;
        while (count > 0)
        {
            total += count;
            count = await stream.ReadAsync(buffer, CancellationToken.None).ConfigureAwait(false);
        }
        if (total == MessageBytes)
            Interlocked.Increment(ref _messages);
    }

    private static async Task EchoAsync(ITransportStream stream, byte[] buffer)
    {
        Memory<byte> message = buffer.AsMemory(0, MessageBytes);
        while (await TransportBenchmark.ReadExactlyAsync(stream, message).ConfigureAwait(false))
            await stream.WriteAsync(message, endStream: false, CancellationToken.None).ConfigureAwait(false);
        await stream.WriteAsync(default, endStream: true, CancellationToken.None).ConfigureAwait(false);
    }
}
