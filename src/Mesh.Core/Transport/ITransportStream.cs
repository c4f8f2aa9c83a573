namespace EventMesh.Transport;

/// <summary>A QUIC stream, one way or both ways.</summary>
/// <remarks>
/// Calling contract:
/// <list type="bullet">
/// <item>One read and one write may be under way at a time, concurrently with each other and with every other member. A second
/// concurrent read or write throws <see cref="InvalidOperationException"/>.</item>
/// <item>Cancelling a read is transient: no byte is lost. Cancelling a write is fatal to the write side, since part of the data may
/// have left: the stream is reset with code 0.</item>
/// <item>Once its two sides have ended, or have been aborted, the stream's credit goes back to the peer.</item>
/// <item><see cref="IAsyncDisposable.DisposeAsync"/> resets a write side that was not ended and stops a read side that was not read to
/// its end, both with code 0; it does not wait for acknowledgements, is idempotent and never throws. Bytes written before the end of
/// the write side are still delivered.</item>
/// </list>
/// </remarks>
public interface ITransportStream : IAsyncDisposable
{
    /// <summary>The QUIC stream identifier (RFC 9000 2.1); -1 while a locally opened stream has none yet.</summary>
    long Id { get; }

    /// <summary>One way or both ways.</summary>
    StreamDirection Direction { get; }

    /// <summary>Whether this side can read.</summary>
    bool CanRead { get; }

    /// <summary>Whether this side can write.</summary>
    bool CanWrite { get; }

    /// <summary>Writes; waits while the send buffer is full, that is while the peer does not read.</summary>
    /// <param name="data">The data; copied or sent when the task completes, so the caller may then change it.</param>
    /// <param name="endStream">Whether this is the last write (FIN).</param>
    /// <param name="cancellationToken">Aborts the write side.</param>
    /// <remarks>
    /// The task fails with <see cref="MeshException"/>: <see cref="MeshError.ClosedByPeer"/> with the peer's code (STOP_SENDING),
    /// <see cref="MeshError.Aborted"/> after <see cref="Reset"/>, or the reason of the connection's end.
    /// </remarks>
    /// <exception cref="InvalidOperationException">The write side was ended, or the stream can't be written.</exception>
    ValueTask WriteAsync(ReadOnlyMemory<byte> data, bool endStream, CancellationToken cancellationToken);

    /// <summary>Reads at least one byte, or zero at the peer's FIN.</summary>
    /// <param name="buffer">Where to; not empty.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <remarks>
    /// The task fails with <see cref="MeshException"/>: <see cref="MeshError.ClosedByPeer"/> with the peer's code (RESET_STREAM),
    /// <see cref="MeshError.Aborted"/> after <see cref="StopSending"/>, or the reason of the connection's end.
    /// </remarks>
    /// <exception cref="InvalidOperationException">The stream can't be read.</exception>
    ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken);

    /// <summary>Aborts the write side (RESET_STREAM); does nothing once the peer has acknowledged all of it.</summary>
    /// <param name="code">The application code, below 2^62.</param>
    void Reset(ulong code);

    /// <summary>Asks the peer to stop writing (STOP_SENDING) and drops what was not read.</summary>
    /// <param name="code">The application code, below 2^62.</param>
    void StopSending(ulong code);

    /// <summary>
    /// Completes when the peer's transport has acknowledged everything written including the end of the stream. It fails as
    /// <see cref="WriteAsync"/> does when that can't happen any more.
    /// </summary>
    Task WritesAcknowledged { get; }
}
