using System.Net;
using EventMesh.Identity;
using EventMesh.Messaging;

namespace EventMesh;

/// <summary>What an application or a plugin does with the mesh. All members may be called from any thread at any time.</summary>
public interface IMesh
{
    /// <summary>This node's identity.</summary>
    PeerId LocalPeer { get; }

    /// <summary>The peers that are joined now: a snapshot.</summary>
    IReadOnlyList<PeerInfo> Peers { get; }

    /// <summary>The endpoint at which others see this node; null until one has told us.</summary>
    IPEndPoint? ObservedEndPoint { get; }

    /// <summary>Sends a message to a joined peer. It does not throw for what the network does: the receipt says how it ended.</summary>
    /// <param name="peer">The peer.</param>
    /// <param name="message">The message.</param>
    /// <param name="cancellationToken">Cancels the wait and, when it has not left yet, the send.</param>
    /// <exception cref="ArgumentException">The channel's name or the message is larger than allowed.</exception>
    ValueTask<SendReceipt> SendAsync(PeerId peer, OutgoingMessage message, CancellationToken cancellationToken = default);

    /// <summary>Sends a request and waits for its response.</summary>
    /// <param name="peer">The peer.</param>
    /// <param name="channel">Which handler it is for: 1 to 128 bytes of UTF-8.</param>
    /// <param name="payload">The request's content.</param>
    /// <param name="cancellationToken">Cancels the request on both sides.</param>
    /// <remarks>
    /// The task fails with <see cref="MeshException"/>: <see cref="MeshError.NotConnected"/>, <see cref="MeshError.NoHandler"/>,
    /// <see cref="MeshError.Busy"/>, <see cref="MeshError.HandlerFailed"/>, <see cref="MeshError.ConnectionLost"/>,
    /// <see cref="MeshError.TooLarge"/>.
    /// </remarks>
    Task<ReadOnlyMemory<byte>> RequestAsync(PeerId peer, string channel, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken = default);

    /// <summary>Sends a request and waits for its response for a limited time; then it is taken back, as by its cancellation.</summary>
    /// <param name="peer">The peer.</param>
    /// <param name="channel">Which handler it is for: 1 to 128 bytes of UTF-8.</param>
    /// <param name="payload">The request's content.</param>
    /// <param name="timeout">How long to wait; above zero.</param>
    /// <param name="cancellationToken">Cancels the request on both sides.</param>
    /// <remarks>
    /// The task fails with <see cref="MeshException"/> as that of
    /// <see cref="RequestAsync"/> does, and with <see cref="MeshError.Timeout"/>.
    /// </remarks>
    Task<ReadOnlyMemory<byte>> RequestWithinAsync(
        PeerId peer, string channel, ReadOnlyMemory<byte> payload, TimeSpan timeout, CancellationToken cancellationToken = default);

    /// <summary>Dials an address and waits until the peer there is joined; one that is joined already is returned as it is.</summary>
    /// <param name="endpoint">The address.</param>
    /// <param name="expected">The peer that has to be there; null for any.</param>
    /// <param name="cancellationToken">Cancels the dial.</param>
    /// <remarks>The task fails with <see cref="MeshException"/>; <see cref="MeshException.Error"/> says why.</remarks>
    Task<PeerInfo> ConnectAsync(IPEndPoint endpoint, PeerId? expected = null, CancellationToken cancellationToken = default);

    /// <summary>Closes the connections with a peer; does nothing when there are none.</summary>
    Task DisconnectAsync(PeerId peer, CancellationToken cancellationToken = default);
}
