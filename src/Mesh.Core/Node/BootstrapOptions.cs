namespace EventMesh.Node;

/// <summary>Joining and staying joined: section <c>EventMesh:Bootstrap</c>.</summary>
public sealed class BootstrapOptions
{
    /// <value>The delay between two dials of a race. Defaults to 50 ms; 0 to 10 s.</value>
    public TimeSpan Stagger { get; set; } = TimeSpan.FromMilliseconds(50);

    /// <value>The wait after the first failed round; it doubles with each, with up to 20 % jitter. Defaults to 1 s.</value>
    public TimeSpan RetryDelay { get; set; } = TimeSpan.FromSeconds(1);

    /// <value>The longest wait between two rounds. Defaults to 20 s.</value>
    public TimeSpan MaxRetryDelay { get; set; } = TimeSpan.FromSeconds(20);

    /// <value>How long the reverse check may take. Defaults to 10 s.</value>
    public TimeSpan ReverseCheckTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <value>
    /// How many peers the node seeks, from its cache and peer exchange; of those that dialled it, half as many count at most. Defaults to 8; 0 to 128.
    /// </value>
    public int TargetPeers { get; set; } = 8;

    /// <value>
    /// The least time between two reverse checks of one address of a peer that stays, and the first wait before a node that is used as a
    /// client asks for another. Defaults to 10 min; 1 s to 24 h.
    /// </value>
    public TimeSpan ReverseCheckInterval { get; set; } = TimeSpan.FromMinutes(10);
}
