using System.Diagnostics;

namespace EventMesh.Transport.InMemory.Internal;

/// <summary>Waits until the thread pool has nothing to do but us.</summary>
internal static class ThreadPoolQuiet
{
    // Threads that stayed busy through a whole wait: a test runner, for one, may keep a thread of the pool for good.
    private static int _occupied;

    public static void Wait(TimeSpan limit)
    {
        long start = Stopwatch.GetTimestamp();
        var spin = new SpinWait();
        while (true)
        {
            int busy = BusyThreads();
            if (busy < Volatile.Read(ref _occupied))
                Volatile.Write(ref _occupied, busy);
            bool isEmpty = ThreadPool.PendingWorkItemCount == 0;
            if (isEmpty && busy <= Volatile.Read(ref _occupied))
                return;
            if (Stopwatch.GetElapsedTime(start) >= limit)
            {
                if (isEmpty)
                    Volatile.Write(ref _occupied, busy);
                return;
            }
            // Without sleeps: a clock takes many steps, and what it waits for takes microseconds.
            spin.SpinOnce(sleep1Threshold: -1);
        }
    }

    private static int BusyThreads()
    {
        ThreadPool.GetMaxThreads(out int max, out _);
        ThreadPool.GetAvailableThreads(out int available, out _);
        return max - available - (Thread.CurrentThread.IsThreadPoolThread ? 1 : 0);
    }
}
