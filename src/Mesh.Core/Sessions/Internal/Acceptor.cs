using EventMesh.Diagnostics;
using EventMesh.Events;
using EventMesh.Transport;
using EventMesh.Wire;

namespace EventMesh.Sessions.Internal;

/// <summary>Takes inbound connections in and gives them to their sessions, or refuses them.</summary>
internal sealed class Acceptor(ISessionHost host, SessionTable table, ITransportEndpoint endpoint, RefusalSummary refusals)
{
    /// <summary>Accepts until cancelled; never fails.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                ITransportConnection transport = await endpoint.AcceptAsync(cancellationToken).ConfigureAwait(false);
                Accept(transport);
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
            catch (Exception e)
            {
                Log.AcceptFailed(host.Logger, e);
            }
        }
    }

    private void Accept(ITransportConnection transport)
    {
        WireCode? refusal = transport.PeerId == host.LocalPeer ? WireCode.ConnectionToSelf : null;
        if (refusal is null && !host.Abuse.TryConnect(transport.RemoteEndPoint.Address))
        {
            refusal = WireCode.RateLimited;
            host.Abuse.Report(transport.PeerId, transport.RemoteEndPoint.Address, Limits.Internal.Offence.ConnectionFlood);
        }
        try
        {
            // The peer speaks first; its session listens from here on.
            if (refusal is null) table.Attach(transport, DiscoverySource.Inbound, isReverse: false);
        }
        catch (MeshException e)
        {
            refusal = SessionTable.CodeOf(e);
        }
        if (refusal is not { } code) return;
        MeshError error = code.ToMeshError();
        MeshMetrics.InboundRefusals.Add(1, new KeyValuePair<string, object?>(MeshTelemetry.Attributes.ErrorType, error.ToString()));
        Log.ConnectionRefused(host.Logger, transport.RemoteEndPoint.ToString(), code.ToString());
        if (code != WireCode.ConnectionToSelf) refusals.Count(EndpointCodec.Normalize(transport.RemoteEndPoint.Address), error);
        // A close may take as long as the peer's round trips: not in this loop.
        table.Tasks.TryRun(static async state =>
        {
            await state.Transport.CloseAsync((ulong)state.Code).ConfigureAwait(false);
            await state.Transport.DisposeAsync().ConfigureAwait(false);
        }, (Transport: transport, Code: code));
    }
}
