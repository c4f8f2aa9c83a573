using System.Diagnostics;

namespace EventMesh.Transport.InMemory.Internal;

/// <summary>Waits until the thread pool has nothing to do but us.</summary>
internal static class ThreadPoolQuiet
{
    public static void Wait(TimeSpan limit)
    {
        int self = Thread.CurrentThread.IsThreadPoolThread ? 1 : 0;
        long start = Stopwatch.GetTimestamp();
        var spin = new SpinWait();
        while (!IsQuiet(self) && Stopwatch.GetElapsedTime(start) < limit)
            spin.SpinOnce();
    }

    private static bool IsQuiet(int self)
    {
        if (ThreadPool.PendingWorkItemCount != 0)
            return false;
        ThreadPool.GetMaxThreads(out int max, out _);
        ThreadPool.GetAvailableThreads(out int available, out _);
        return max - available <= self;
    }
}
