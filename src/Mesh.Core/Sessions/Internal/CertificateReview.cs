namespace EventMesh.Sessions.Internal;

/// <summary>
/// Judges the live sessions again, every 30 s: certificates expire and are revoked, and keys are replaced, while connections stand.
/// </summary>
internal sealed class CertificateReview(ISessionHost host, SessionTable table)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(30);

    /// <summary>Runs until cancelled; never fails.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(Interval, host.Clock);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false))
            {
                // One after another: a look at many peers takes as long as it takes.
                foreach (PeerSession session in table.Sessions()) await session.ReviewCertificatesAsync().ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // The node stops.
        }
    }
}
