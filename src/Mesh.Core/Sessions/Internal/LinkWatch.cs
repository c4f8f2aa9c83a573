namespace EventMesh.Sessions.Internal;

/// <summary>Looks every few seconds whether a peer's packets come from another address than before: the transport follows it without a word.</summary>
internal sealed class LinkWatch(ISessionHost host, SessionTable table)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    /// <summary>Runs until cancelled; never fails.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(Interval, host.Clock);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false))
            {
                foreach (PeerSession session in table.Sessions()) await session.LookAtAddressAsync().ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // The node stops.
        }
    }
}
