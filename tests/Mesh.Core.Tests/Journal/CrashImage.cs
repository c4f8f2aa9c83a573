using EventMesh.Events;
using EventMesh.Journal;
using EventMesh.Journal.Internal;

namespace EventMesh.Core.Tests.Journal;

/// <summary>
/// What SIGKILL at one step would leave: the files as they are, the content of the store, and what had been promised by then. SQLite keeps nothing of its
/// files in memory between two calls that a copy would lack, just as the kernel keeps them for a killed process.
/// </summary>
internal sealed class CrashImage : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("eventmesh-image-").FullName;

    private CrashImage(JournalStep step, IReadOnlyList<RecordedEvent> log, IReadOnlyList<RecordedEvent> inFlight, IReadOnlySet<Guid> promised)
    {
        Step = step;
        Log = log;
        InFlight = inFlight;
        Promised = promised;
    }

    public JournalStep Step { get; }

    /// <summary>The same for images from which a node would start alike.</summary>
    public string Content => $"{Log.Count} {InFlight.Count} {string.Join(' ', Directory.GetFiles(_directory).Order(StringComparer.Ordinal).Select(Hash))}";

    public IReadOnlyList<RecordedEvent> Log { get; }

    /// <summary>What the store was last given and does not have: a database may commit it after the death of its client.</summary>
    public IReadOnlyList<RecordedEvent> InFlight { get; }

    public IReadOnlySet<Guid> Promised { get; }

    public static CrashImage Take(JournalRun run, JournalStep step, IReadOnlySet<Guid> promised)
    {
        IReadOnlyList<RecordedEvent> log = run.Log;
        IReadOnlyList<RecordedEvent> last = run.Store.LastBatch;
        bool isInFlight = last.Count > 0 && last[0].NodeSeq == log.Count + 1;
        CrashImage image = new(step, log, isInFlight ? last : [], promised);
        Copy(run.Directory, image._directory);
        return image;
    }

    /// <summary>A node whose predecessor was killed at this step.</summary>
    /// <param name="commitsLate">Whether the store has committed what was in flight.</param>
    public JournalRun Revive(bool commitsLate)
    {
        var run = new JournalRun { Options = { BatchSize = 4, BatchDelay = TimeSpan.Zero } };
        Copy(_directory, run.Directory);
        run.Store.Fill(run.Node, commitsLate ? [.. Log, .. InFlight] : Log);
        return run;
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private static string Hash(string file) => Path.GetFileName(file) + ":" + Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(file)));

    public static void Copy(string from, string to)
    {
        foreach (string file in Directory.GetFiles(from))
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)), overwrite: true);
    }
}
