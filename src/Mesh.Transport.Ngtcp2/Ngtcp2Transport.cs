using EventMesh.Transport.Ngtcp2.Internal;
using EventMesh.Transport.Ngtcp2.Interop;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace EventMesh.Transport.Ngtcp2;

/// <summary>
/// QUIC v1 by libngtcp2 and GnuTLS (Linux). Each endpoint has one UDP socket, which listens and dials, and one thread.
/// </summary>
public sealed class Ngtcp2Transport : ITransport
{
    /// <summary>The provider's name in configuration: <c>ngtcp2</c>.</summary>
    public const string ProviderName = "ngtcp2";

    private readonly NgtcpLog _log;

    /// <summary>Makes the transport.</summary>
    /// <param name="logger">Where failures of the provider itself go; none by default.</param>
    /// <exception cref="MeshException"><see cref="MeshError.TransportUnavailable"/>: the libraries are missing or too old.</exception>
    public Ngtcp2Transport(ILogger<Ngtcp2Transport>? logger = null)
    {
        TransportSupport support = NativeLibraries.Support;
        if (!support.IsSupported)
            throw new MeshException(MeshError.TransportUnavailable, $"{support.Detail} {support.Remedy}");
        _log = new NgtcpLog(logger ?? NullLogger<Ngtcp2Transport>.Instance);
    }

    /// <inheritdoc/>
    public string Name => ProviderName;

    /// <inheritdoc/>
    public TransportCapabilities Capabilities =>
        TransportCapabilities.DialFromListeningPort | TransportCapabilities.Migration | TransportCapabilities.PathStatistics | TransportCapabilities.StatelessReset;

    /// <inheritdoc/>
    public Task<ITransportEndpoint> BindAsync(TransportEndpointOptions options, CancellationToken cancellationToken)
    {
        EndpointSettings.Check(options);
        return cancellationToken.IsCancellationRequested
            ? Task.FromCanceled<ITransportEndpoint>(cancellationToken)
            : BindAsync(options, EndpointTuning.Default);
    }

    internal Task<ITransportEndpoint> BindAsync(TransportEndpointOptions options, EndpointTuning tuning)
    {
        TlsIdentity identity = tuning.Identity ?? TlsIdentity.FromCertificate(options.Certificate, options.Intermediates);
        var settings = new EndpointSettings(options, identity, tuning);
        try
        {
            return Task.FromResult<ITransportEndpoint>(Bind(options, settings, identity));
        }
        catch (MeshException e)
        {
            return Task.FromException<ITransportEndpoint>(e);
        }
    }

    private Endpoint Bind(TransportEndpointOptions options, EndpointSettings settings, TlsIdentity identity)
    {
        TlsParameters tls = CreateTls(settings, identity);
        try
        {
            UdpSocket socket = UdpSocket.Bind(options.LocalEndPoint, settings.Tuning);
            var loop = new EventLoop(socket, settings, tls, _log);
            var endpoint = new Endpoint(this, loop, socket.Family);
            loop.Start();
            _log.EndpointBound(socket.LocalEndPoint, loop.Sender.Offload, socket.ReceiveOffload);
            return endpoint;
        }
        catch
        {
            tls.Dispose();
            throw;
        }
    }

    private static unsafe TlsParameters CreateTls(EndpointSettings settings, TlsIdentity identity)
    {
        var credentials = new CredentialsHandle();
        try
        {
            identity.LoadInto(credentials);
            return new TlsParameters(credentials, new PriorityHandle(), settings.Protocol, CertificateVerifier.Function);
        }
        catch
        {
            credentials.Dispose();
            throw;
        }
    }
}
