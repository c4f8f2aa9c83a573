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
                Take(transport);
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

    private void Take(ITransportConnection transport)
    {
        Task<WireCode?> verdict = AcceptAsync(transport);
        // Without certificates to judge, or with room, it has its session by now.
        if (verdict.IsCompletedSuccessfully && ResultOf(verdict) is null) return;
        // A verdict or a close may take a while: not in the loop.
        table.Tasks.TryRun(static state => state.Acceptor.FinishAsync(state.Transport, state.Verdict), (Acceptor: this, Transport: transport, Verdict: verdict));
    }

    private async Task FinishAsync(ITransportConnection transport, Task<WireCode?> verdict)
    {
        try
        {
            if (await verdict.ConfigureAwait(false) is { } code) await RefuseAsync(transport, code).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            Log.AcceptFailed(host.Logger, e);
            await transport.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Gives a connection to its session, or says why not.</summary>
    private async Task<WireCode?> AcceptAsync(ITransportConnection transport)
    {
        if (transport.PeerId == host.LocalPeer) return WireCode.ConnectionToSelf;
        if (!host.Abuse.TryConnect(transport.RemoteEndPoint.Address))
        {
            host.Abuse.Report(transport.PeerId, transport.RemoteEndPoint.Address, Limits.Internal.Offence.ConnectionFlood);
            return WireCode.RateLimited;
        }
        try
        {
            if (await host.Gate.JudgeAsync(transport).ConfigureAwait(false) is { } refusal)
            {
                host.Gate.Report(transport, refusal);
                return WireCode.CertificateRefused;
            }
            // The peer speaks first; its session listens from here on.
            table.Attach(transport, DiscoverySource.Inbound, isReverse: false);
            return null;
        }
        catch (MeshException e)
        {
            return SessionTable.CodeOf(e);
        }
    }

    private async Task RefuseAsync(ITransportConnection transport, WireCode code)
    {
        MeshError error = code.ToMeshError();
        MeshMetrics.InboundRefusals.Add(1, new KeyValuePair<string, object?>(MeshTelemetry.Attributes.ErrorType, error.ToString()));
        Log.ConnectionRefused(host.Logger, transport.RemoteEndPoint.ToString(), code.ToString());
        if (code != WireCode.ConnectionToSelf) refusals.Count(EndpointCodec.Normalize(transport.RemoteEndPoint.Address), error);
        await transport.CloseAsync((ulong)code).ConfigureAwait(false);
        await transport.DisposeAsync().ConfigureAwait(false);
    }

#pragma warning disable VSTHRD002 // The task has completed: nothing waits.
    private static WireCode? ResultOf(Task<WireCode?> completed) => completed.Result;
#pragma warning restore VSTHRD002
}
