using System.Diagnostics;
using System.Globalization;
using System.Net;

namespace EventMesh.Host.Bench;

/// <summary>
/// The joining ends, in a process of their own, so that the listener's memory is its alone. Its standard output says <c>ready</c>, then for the
/// line <c>go</c> how many seconds the joins took; it ends with its standard input.
/// </summary>
internal static class PeersBenchmarkJoiners
{
    /// <summary>Joins at once.</summary>
    public const int AtOnce = 16;

    // Until the code of a join is compiled at both ends, as the transport's benchmark does with its handshakes. In rounds with a pause: the runtime compiles
    // in steps, each after so many calls and in the background, which has no processor to itself while joins go on.
    private const int WarmRounds = 4;
    private const int WarmJoins = 250;
    private static readonly TimeSpan WarmPause = TimeSpan.FromSeconds(2);

    /// <summary>Plays the joiners' part.</summary>
    public static async Task RunAsync(IPEndPoint listener, int count, TextReader input, TextWriter output, CancellationToken cancellationToken)
    {
        var nodes = new List<BenchmarkNode>(count);
        try
        {
            for (int round = 0; round < WarmRounds; round++)
            {
                await StartAsync(WarmJoins).ConfigureAwait(false);
                await JoinAsync().ConfigureAwait(false);
                await StopAsync().ConfigureAwait(false);
                await Task.Delay(WarmPause, cancellationToken).ConfigureAwait(false);
            }
            await StartAsync(count).ConfigureAwait(false);
            await TellAsync("ready").ConfigureAwait(false);
            if (await input.ReadLineAsync(cancellationToken).ConfigureAwait(false) != "go") return;
            long start = Stopwatch.GetTimestamp();
            await JoinAsync().ConfigureAwait(false);
            await TellAsync(Stopwatch.GetElapsedTime(start).TotalSeconds.ToString(CultureInfo.InvariantCulture)).ConfigureAwait(false);
            await input.ReadLineAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            await StopAsync().ConfigureAwait(false);
        }

        async Task StartAsync(int wanted)
        {
            while (nodes.Count < wanted) nodes.Add(await BenchmarkNode.StartAsync(isStored: false, cancellationToken).ConfigureAwait(false));
        }

        Task JoinAsync()
        {
            int next = -1;
            return Task.WhenAll(Enumerable.Range(0, AtOnce).Select(async _ =>
            {
                await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
                while (Interlocked.Increment(ref next) is int i && i < nodes.Count)
                    await nodes[i].Mesh.ConnectAsync(listener, cancellationToken: cancellationToken).ConfigureAwait(false);
            }));
        }

        async Task StopAsync()
        {
            await Task.WhenAll(nodes.Select(node => node.DisposeAsync().AsTask())).ConfigureAwait(false);
            nodes.Clear();
        }

        async Task TellAsync(string line)
        {
            await output.WriteLineAsync(line.AsMemory(), cancellationToken).ConfigureAwait(false);
            await output.FlushAsync(cancellationToken).ConfigureAwait(false);
        }
    }
}
