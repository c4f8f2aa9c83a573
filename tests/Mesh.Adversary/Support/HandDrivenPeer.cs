using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using EventMesh.Identity;
using EventMesh.Tests;
using EventMesh.Transport;

namespace EventMesh.Adversary.Support;

/// <summary>A peer without a node: it has an identity and a socket, and its test says each byte that it sends.</summary>
internal sealed class HandDrivenPeer : IAsyncDisposable
{
    private readonly ITransportEndpoint _endpoint;
    private readonly X509Certificate2 _certificate;
    private readonly ConcurrentBag<HandDrivenConnection> _connections = [];

    private HandDrivenPeer(ITransportEndpoint endpoint, X509Certificate2 certificate)
    {
        _endpoint = endpoint;
        _certificate = certificate;
        Id = PeerId.FromCertificate(certificate);
    }

    public PeerId Id { get; }

    public IPEndPoint EndPoint => _endpoint.LocalEndPoint;

    /// <summary>The process start that its Hellos claim.</summary>
    public Guid Instance { get; } = Guid.NewGuid();

    /// <param name="provider">The network.</param>
    /// <param name="streams">Streams of each direction that it grants to the victim.</param>
    /// <param name="window">Unread bytes that it grants on each stream.</param>
    /// <param name="address">Where it is; by custom a machine of its own: what is held against it must not be held against others.</param>
    public static async Task<HandDrivenPeer> StartAsync(
        ITransportProvider provider, int streams = 256, int window = 2 * 1024 * 1024, string address = "127.0.0.66")
    {
        X509Certificate2 certificate = TestCertificates.Create("attacker");
        ITransportEndpoint endpoint = await provider.Create().BindAsync(
            new TransportEndpointOptions
            {
                LocalEndPoint = new IPEndPoint(IPAddress.Parse(address), 0),
                Certificate = certificate,
                VerifyPeer = _ => true,
                MaxInboundStreams = streams,
                StreamWindow = window,
                ConnectionWindow = Math.Max(window, 64 * 1024),
            },
            CancellationToken.None);
        return new HandDrivenPeer(endpoint, certificate);
    }

    /// <summary>Dials; nothing is sent beyond TLS.</summary>
    /// <param name="victim">Whom.</param>
    /// <param name="reads">Whether the victim's streams are read.</param>
    public async Task<HandDrivenConnection> DialAsync(IPEndPoint victim, bool reads = true) =>
        Keep(await _endpoint.ConnectAsync(victim, CancellationToken.None).WaitAsync(AttackRun.Limit), reads);

    /// <summary>Takes the victim's dial.</summary>
    public async Task<HandDrivenConnection> AcceptAsync(bool reads = true) =>
        Keep(await _endpoint.AcceptAsync(CancellationToken.None).WaitAsync(AttackRun.Limit), reads);

    public async ValueTask DisposeAsync()
    {
        foreach (HandDrivenConnection connection in _connections) await connection.DisposeAsync();
        await _endpoint.DisposeAsync();
        _certificate.Dispose();
    }

    private HandDrivenConnection Keep(ITransportConnection transport, bool reads)
    {
        var connection = new HandDrivenConnection(transport, Instance, reads);
        _connections.Add(connection);
        return connection;
    }
}
