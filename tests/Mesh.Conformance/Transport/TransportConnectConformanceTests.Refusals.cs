using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using EventMesh.Identity;
using EventMesh.Tests.Common.Trust;
using EventMesh.Transport;
using Shouldly;
using Xunit;

namespace EventMesh.Conformance;

// Who is not let in, and how either side learns of it.
public abstract partial class TransportConnectConformanceTests
{
    [Fact]
    public async Task Source_that_is_not_admitted_is_refused_before_the_handshake_and_admitted_again_when_the_decision_changes()
    {
        var asked = new ConcurrentQueue<IPAddress>();
        var verified = 0;
        var admits = false;
        ITransportEndpoint server = await ServerAsync(o => o with
        {
            AdmitSource = source =>
            {
                asked.Enqueue(source);
                return Volatile.Read(ref admits);
            },
            VerifyPeer = _ => Interlocked.Increment(ref verified) > 0,
        });
        ITransportEndpoint client = await ClientAsync();
        Task<ITransportConnection> accept = server.AcceptAsync(CancellationToken.None);

        MeshException refusal = await Should.ThrowAsync<MeshException>(() => Within(client.ConnectAsync(server.LocalEndPoint, CancellationToken.None)));

        refusal.Error.ShouldBeOneOf(MeshError.ClosedByPeer, MeshError.Unreachable, MeshError.CertificateRefused);
        asked.ShouldNotBeEmpty();
        asked.ShouldAllBe(source => source.Equals(Address));
        verified.ShouldBe(0, "no certificate was judged");
        accept.IsCompleted.ShouldBeFalse();

        Volatile.Write(ref admits, true);
        ITransportConnection dialed = Own(await Within(client.ConnectAsync(server.LocalEndPoint, CancellationToken.None)));
        ITransportConnection accepted = Own(await Within(accept));
        await RoundTripAsync(dialed, accepted);
    }

    [Fact]
    public async Task Decision_on_a_source_that_fails_is_a_refusal_and_the_listener_goes_on()
    {
        var decisions = 0;
        ITransportEndpoint server = await ServerAsync(o => o with
        {
            AdmitSource = _ => throw new InvalidOperationException($"no idea, {Interlocked.Increment(ref decisions)}"),
        });
        ITransportEndpoint client = await ClientAsync();

        for (int i = 0; i < 2; i++)
        {
            MeshException refusal = await Should.ThrowAsync<MeshException>(() => Within(client.ConnectAsync(server.LocalEndPoint, CancellationToken.None)));
            refusal.Error.ShouldBeOneOf(MeshError.ClosedByPeer, MeshError.Unreachable, MeshError.CertificateRefused);
        }

        decisions.ShouldBeGreaterThanOrEqualTo(2);
    }

    [Fact]
    public async Task Dialer_that_refuses_the_certificate_fails_and_the_listener_goes_on()
    {
        ITransportEndpoint server = await ServerAsync();
        ITransportEndpoint strict = await ClientAsync(o => o with { VerifyPeer = _ => false, Certificate = ServerCertificate });
        Task<ITransportConnection> accept = server.AcceptAsync(CancellationToken.None);

        await Fails(MeshError.CertificateRefused, strict.ConnectAsync(server.LocalEndPoint, CancellationToken.None));

        ITransportEndpoint client = await ClientAsync();
        ITransportConnection dialed = Own(await Within(client.ConnectAsync(server.LocalEndPoint, CancellationToken.None)));
        ITransportConnection accepted = Own(await Within(accept));
        accepted.PeerId.ShouldBe(PeerId.FromCertificate(ClientCertificate), "the refused dial must not be accepted");
        await RoundTripAsync(dialed, accepted);
    }

    [Fact]
    public async Task Dialer_learns_that_the_listener_refused_its_certificate_and_the_listener_goes_on()
    {
        PeerId unwanted = PeerId.FromCertificate(ServerCertificate);
        ITransportEndpoint server = await ServerAsync(o => o with { VerifyPeer = peer => peer.PeerId != unwanted });
        ITransportEndpoint refused = await ClientAsync(o => o with { Certificate = ServerCertificate });
        Task<ITransportConnection> accept = server.AcceptAsync(CancellationToken.None);

        (await RefusalAsync(refused, server.LocalEndPoint)).ShouldBe(MeshError.CertificateRefused);

        ITransportEndpoint client = await ClientAsync();
        ITransportConnection dialed = Own(await Within(client.ConnectAsync(server.LocalEndPoint, CancellationToken.None)));
        ITransportConnection accepted = Own(await Within(accept));
        accepted.PeerId.ShouldBe(PeerId.FromCertificate(ClientCertificate), "the refused dial must not be accepted");
        await RoundTripAsync(dialed, accepted);
    }

    [Fact]
    public async Task Other_application_protocol_is_refused()
    {
        ITransportEndpoint server = await ServerAsync(o => o with { ApplicationProtocol = "eventmesh/1" });
        ITransportEndpoint other = await ClientAsync(o => o with { ApplicationProtocol = "eventmesh/2" });

        await Fails(MeshError.ProtocolMismatch, other.ConnectAsync(server.LocalEndPoint, CancellationToken.None));

        await ConnectAsync(server, await ClientAsync());
    }

    [Fact]
    public async Task Connections_beyond_the_backlog_are_refused()
    {
        ITransportEndpoint server = await ServerAsync(o => o with { AcceptBacklog = 2 });
        ITransportEndpoint client = await ClientAsync();
        var standing = new List<ITransportConnection>();
        for (int i = 0; i < 2; i++)
        {
            ITransportConnection dialed = Own(await Within(client.ConnectAsync(server.LocalEndPoint, CancellationToken.None)));
            // Acknowledged data proves that the listener has ended the handshake too.
            ITransportStream stream = await Within(dialed.OpenStreamAsync(StreamDirection.Unidirectional, CancellationToken.None));
            await Within(stream.WriteAsync(default, endStream: true, CancellationToken.None));
            await Within(stream.WritesAcknowledged);
            standing.Add(dialed);
        }

        (await RefusalAsync(client, server.LocalEndPoint)).ShouldBe(MeshError.ClosedByPeer);

        Own(await Within(server.AcceptAsync(CancellationToken.None)));
        Own(await Within(server.AcceptAsync(CancellationToken.None)));
        standing.ShouldAllBe(connection => !connection.Closed.IsCompleted);
        await ConnectAsync(server, client);
    }

    /// <summary>How a dialer learns that it was refused: from the dial or, when that came too early, from the connection.</summary>
    private async Task<MeshError> RefusalAsync(ITransportEndpoint client, IPEndPoint server)
    {
        try
        {
            ITransportConnection connection = Own(await Within(client.ConnectAsync(server, CancellationToken.None)));
            TransportCloseInfo info = await Within(connection.Closed);
            info.ApplicationCode.ShouldBeNull("no application has closed it");
            return info.Error;
        }
        catch (MeshException exception)
        {
            return exception.Error;
        }
    }
}
