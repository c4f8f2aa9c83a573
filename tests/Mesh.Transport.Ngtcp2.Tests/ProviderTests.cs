using System.Net;
using System.Security.Cryptography.X509Certificates;
using EventMesh.Conformance;
using EventMesh.Tests;
using EventMesh.Transport.Ngtcp2.Internal;

namespace EventMesh.Transport.Ngtcp2.Tests;

/// <summary>What the tests of this provider alone share: tuning, and a look at the loop.</summary>
public abstract class ProviderTests : TransportConformanceTests
{
    protected override ITransport CreateTransport() => Provider.Create();

    private protected static EventLoop LoopOf(ITransportEndpoint endpoint) => ((Endpoint)endpoint).Loop;

    private protected async Task<ITransportEndpoint> BindAsync(
        EndpointTuning tuning, Func<TransportEndpointOptions, TransportEndpointOptions>? change = null, X509Certificate2? certificate = null)
    {
        TransportEndpointOptions options = Options(certificate ?? TestCertificates.Create("tuned"));
        return Own(await Within(((Ngtcp2Transport)Transport).BindAsync(change?.Invoke(options) ?? options, tuning)));
    }

    /// <summary>A connection over a proxy.</summary>
    private protected async Task<ConnectionPair> ConnectAsync(ITransportEndpoint server, ITransportEndpoint client, UdpProxy proxy)
    {
        Task<ITransportConnection> accept = server.AcceptAsync(CancellationToken.None);
        ITransportConnection dialed = Own(await Within(client.ConnectAsync(proxy.LocalEndPoint, CancellationToken.None)));
        return new ConnectionPair(dialed, Own(await Within(accept)));
    }

    /// <summary>How the refusal of a dial shows: at the dial, or soon after (TLS 1.3).</summary>
    protected async Task<MeshError> RefusalAsync(ITransportEndpoint client, IPEndPoint server)
    {
        try
        {
            ITransportConnection connection = Own(await Within(client.ConnectAsync(server, CancellationToken.None)));
            return (await Within(connection.Closed)).Error;
        }
        catch (MeshException e)
        {
            return e.Error;
        }
    }

    /// <summary>Polls what the loop thread changes, within the limit of every wait.</summary>
    protected async Task Until(Func<bool> condition, string what)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            if (TimeProvider.System.GetElapsedTime(start) > Limit)
                throw new TimeoutException($"Never became true: {what}");
            await Task.Delay(5);
        }
    }
}
