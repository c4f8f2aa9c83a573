using EventMesh.Transport.Ngtcp2.Interop;
using Microsoft.Extensions.Logging;

namespace EventMesh.Transport.Ngtcp2;

/// <summary>Makes <see cref="Ngtcp2Transport"/> where libngtcp2 1.11 or later and its GnuTLS part are installed.</summary>
/// <param name="logger">Where failures of the provider itself go; none by default.</param>
public sealed class Ngtcp2TransportProvider(ILogger<Ngtcp2Transport>? logger = null) : ITransportProvider
{
    /// <inheritdoc/>
    public string Name => Ngtcp2Transport.ProviderName;

    /// <inheritdoc/>
    public int Order => 0;

    /// <inheritdoc/>
    public TransportSupport Probe() => NativeLibraries.Support;

    /// <inheritdoc/>
    public ITransport Create() => new Ngtcp2Transport(logger);
}
