using EventMesh.Wire;

namespace EventMesh.Sessions.Internal;

/// <summary>Peers that have said goodbye.</summary>
internal sealed partial class PeerSession
{
    /// <summary>
    /// The peer takes no more messages and is about to close. One that does not would keep the place of a peer who would: it is closed after the
    /// handshake's time, which is many times what an orderly end takes.
    /// </summary>
    private void ExpectClose(PeerConnection connection)
    {
        if (!connection.TryMarkLeaving()) return;
        _table.Tasks.TryRun(static state => state.Session.WatchLeavingAsync(state.Connection), (Session: this, Connection: connection));
    }

    private async Task WatchLeavingAsync(PeerConnection connection)
    {
        try
        {
            await Task.Delay(Host.Options.Transport.HandshakeTimeout, Host.Clock, connection.Ended).ConfigureAwait(false);
            await connection.CloseAsync(WireCode.Disconnected).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The connection ended before.
        }
    }
}
