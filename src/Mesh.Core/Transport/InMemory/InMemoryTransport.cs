namespace EventMesh.Transport.InMemory;

/// <summary>The transport of an <see cref="InMemoryNetwork"/>: it keeps the whole contract but encrypts nothing.</summary>
/// <param name="network">The network whose addresses its endpoints bind and dial.</param>
public sealed class InMemoryTransport(InMemoryNetwork network) : ITransport
{
    /// <inheritdoc/>
    public string Name => "inmemory";

    /// <inheritdoc/>
    public TransportCapabilities Capabilities => TransportCapabilities.DialFromListeningPort | TransportCapabilities.PathStatistics;

    internal InMemoryNetwork Network { get; } = network;

    /// <inheritdoc/>
    public Task<ITransportEndpoint> BindAsync(TransportEndpointOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (!options.Certificate.HasPrivateKey)
            throw new ArgumentException("The certificate has no private key.", nameof(options));
        if (cancellationToken.IsCancellationRequested)
            return Task.FromCanceled<ITransportEndpoint>(cancellationToken);
        try
        {
            return Task.FromResult<ITransportEndpoint>(Network.Bind(this, options));
        }
        catch (MeshException exception)
        {
            return Task.FromException<ITransportEndpoint>(exception);
        }
    }
}
