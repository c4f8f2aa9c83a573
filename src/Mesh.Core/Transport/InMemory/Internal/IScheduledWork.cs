namespace EventMesh.Transport.InMemory.Internal;

/// <summary>Something that happens at a time. An interface and not a delegate, so that packets and timers need no closures.</summary>
internal interface IScheduledWork
{
    void Run();
}
