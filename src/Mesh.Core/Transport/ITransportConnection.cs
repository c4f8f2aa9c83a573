using System.Net;
using EventMesh.Identity;

namespace EventMesh.Transport;

/// <summary>A QUIC connection with mutual TLS 1.3.</summary>
/// <remarks>
/// Calling contract:
/// <list type="bullet">
/// <item>All members may be called concurrently; several <see cref="OpenStreamAsync"/> calls complete in the order of the calls,
/// <see cref="AcceptStreamAsync"/> is for one reader.</item>
/// <item>Cancelling <see cref="OpenStreamAsync"/> or <see cref="AcceptStreamAsync"/> is transient: no stream is lost, the connection goes on.</item>
/// <item>After <see cref="CloseAsync"/>, <see cref="IAsyncDisposable.DisposeAsync"/> or the peer's close, pending and later calls on
/// the connection and its streams fail with <see cref="MeshException"/>; data received before but not yet read may be lost.</item>
/// <item><see cref="IAsyncDisposable.DisposeAsync"/> aborts with application code 0 when the connection is open, is idempotent, and never throws.</item>
/// </list>
/// </remarks>
public interface ITransportConnection : IAsyncDisposable
{
    /// <summary>Whether this side dialled.</summary>
    bool IsDialer { get; }

    /// <summary>Our end.</summary>
    IPEndPoint LocalEndPoint { get; }

    /// <summary>The peer's end now; it changes when the peer migrates.</summary>
    IPEndPoint RemoteEndPoint { get; }

    /// <summary>The peer's identity, proven in the handshake.</summary>
    PeerId PeerId { get; }

    /// <summary>The peer's certificate, DER.</summary>
    ReadOnlyMemory<byte> PeerCertificate { get; }

    /// <summary>The certificates as the peer sent them, DER, its own first.</summary>
    IReadOnlyList<ReadOnlyMemory<byte>> PeerCertificateChain { get; }

    /// <summary>
    /// Completes when the connection has ended, for whatever reason, and never fails. Our own <see cref="CloseAsync"/> completes it too.
    /// </summary>
    Task<TransportCloseInfo> Closed { get; }

    /// <summary>Opens a stream; waits while the peer's stream limit is reached.</summary>
    /// <param name="direction">One way or both ways.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <remarks>The peer sees a stream with its first byte, FIN or reset, not with its opening.</remarks>
    ValueTask<ITransportStream> OpenStreamAsync(StreamDirection direction, CancellationToken cancellationToken);

    /// <summary>
    /// Waits for the next stream that the peer opened. Streams not accepted count against the stream limit and their windows, so
    /// a connection whose streams nobody accepts stops the peer's sender and no other.
    /// </summary>
    ValueTask<ITransportStream> AcceptStreamAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Closes at once with an application code (RFC 9000 10.2): data in flight may be lost. Idempotent, and the first code wins.
    /// Returns when the close has been sent.
    /// </summary>
    /// <param name="code">The application code, below 2^62.</param>
    Task CloseAsync(ulong code);

    /// <summary>Figures of the connection now.</summary>
    TransportStatistics GetStatistics();
}
