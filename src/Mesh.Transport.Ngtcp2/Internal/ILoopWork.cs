namespace EventMesh.Transport.Ngtcp2.Internal;

/// <summary>Something that the application wants done on the loop thread. Its poster queues it once at a time, which bounds the queue.</summary>
internal interface ILoopWork
{
    /// <summary>Runs on the loop thread, or on the poster's once the loop has ended.</summary>
    void Run();
}
