namespace EventMesh.Transport;

/// <summary>A QUIC v1 provider (RFC 9000). It is stateless: endpoints hold the sockets.</summary>
public interface ITransport
{
    /// <summary>The provider's name in configuration, events and <c>mesh doctor</c>: <c>ngtcp2</c>, <c>msquic</c> or <c>inmemory</c>.</summary>
    string Name { get; }

    /// <summary>What this provider can do beyond the contract that all share.</summary>
    TransportCapabilities Capabilities { get; }

    /// <summary>Binds a UDP socket.</summary>
    /// <param name="options">The endpoint's settings; the provider keeps its own snapshot.</param>
    /// <param name="cancellationToken">Cancels the bind.</param>
    /// <remarks>
    /// The task fails with <see cref="MeshException"/>: <see cref="MeshError.AddressInUse"/>,
    /// <see cref="MeshError.AddressNotAvailable"/> or <see cref="MeshError.TransportUnavailable"/>.
    /// </remarks>
    Task<ITransportEndpoint> BindAsync(TransportEndpointOptions options, CancellationToken cancellationToken);
}
