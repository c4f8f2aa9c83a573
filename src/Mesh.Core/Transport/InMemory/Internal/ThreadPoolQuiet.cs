using System.Diagnostics;

namespace EventMesh.Transport.InMemory.Internal;

/// <summary>Waits until the thread pool has nothing to do but us.</summary>
internal static class ThreadPoolQuiet
{
    // Long enough for a disk that is slow to flush on a machine that is busy.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    // Threads that nobody waits for: a test runner, for one, may keep a thread of the pool for good.
    private static int _occupied;

    /// <summary>What is busy now has nothing to do with what comes, and is not waited for unless it was free once.</summary>
    public static void Begin() => Volatile.Write(ref _occupied, Math.Max(Volatile.Read(ref _occupied), BusyThreads()));

    /// <summary>Returns when the pool is quiet, or after 10 s; a thread that stays busy so long is one that nobody waits for any more.</summary>
    public static void Wait()
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
            if (Stopwatch.GetElapsedTime(start) >= Limit)
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
