namespace EventMesh.Transport.InMemory.Internal;

/// <summary>Everything is an entry of the virtual clock's queue, also the end of what callers await.</summary>
internal sealed class VirtualScheduler(VirtualTimeProvider clock) : Scheduler
{
    private readonly long _start = clock.GetTimestamp();

    public override long Now => clock.GetTimestamp() - _start;

    public override TaskCreationOptions CreationOptions => TaskCreationOptions.None;

    public override void Schedule(IScheduledWork work, long due) => clock.Schedule(work, _start + due);

    public override void Complete(IScheduledWork completion) => clock.Schedule(completion, clock.GetTimestamp());
}
