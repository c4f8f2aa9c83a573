namespace EventMesh.Transport.InMemory.Internal;

/// <summary>Runs work of a network at its time, one after another.</summary>
internal abstract class Scheduler
{
    /// <summary>Ticks of 100 ns since the network was made.</summary>
    public abstract long Now { get; }

    /// <summary>How the sources of what callers await are made.</summary>
    public abstract TaskCreationOptions CreationOptions { get; }

    public abstract void Schedule(IScheduledWork work, long due);

    /// <summary>Ends what a caller awaits. Called under locks, so the caller must not go on before this returns.</summary>
    public abstract void Complete(IScheduledWork completion);

    public static Scheduler For(TimeProvider timeProvider) =>
        timeProvider is VirtualTimeProvider clock ? new VirtualScheduler(clock) : new PoolScheduler(timeProvider);
}
