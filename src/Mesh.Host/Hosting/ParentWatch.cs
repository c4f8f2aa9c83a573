namespace EventMesh.Host.Hosting;

/// <summary>
/// Ties a node's life to the process that started it: that one holds the other end of standard input, and however it ends, even by SIGKILL, the
/// kernel closes it.
/// </summary>
internal static class ParentWatch
{
    /// <summary>Completes when standard input ends.</summary>
    public static async Task WhenParentEndsAsync(Stream input, CancellationToken cancellationToken)
    {
        byte[] buffer = new byte[256];
        try
        {
            while (await input.ReadAsync(buffer, cancellationToken) > 0)
            {
                // What the parent writes means nothing.
            }
        }
        catch (IOException)
        {
            // Closed too.
        }
    }
}
