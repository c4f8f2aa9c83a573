using System.Net.Sockets;
using System.Runtime.Versioning;
using Microsoft.Extensions.Logging;

namespace EventMesh.Transport.Quic.Internal;

[SupportedOSPlatform("linux")]
[SupportedOSPlatform("macos")]
[SupportedOSPlatform("windows")]
internal sealed class QuicTransport(ILogger logger) : ITransport
{
    public string Name => "msquic";

    public TransportCapabilities Capabilities => TransportCapabilities.None;

    public ILogger Logger => logger;

    public async Task<ITransportEndpoint> BindAsync(TransportEndpointOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (!options.Certificate.HasPrivateKey)
            throw new ArgumentException("The certificate has no private key.", nameof(options));
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            return await QuicTransportEndpoint.BindAsync(this, options, cancellationToken).ConfigureAwait(false);
        }
        catch (PlatformNotSupportedException exception)
        {
            throw new MeshException(MeshError.TransportUnavailable, exception.Message, exception);
        }
        catch (Exception exception) when (exception is System.Net.Quic.QuicException or SocketException)
        {
            throw exception.ToMeshException();
        }
    }
}
