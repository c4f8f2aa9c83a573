using System.Diagnostics;
using Xunit.Sdk;

namespace EventMesh.Adversary.Fuzzing;

/// <summary>Gives a decoder many inputs and holds it to what each of them may cost.</summary>
internal sealed class Fuzzer(FuzzTarget target, ulong seed)
{
    private static readonly TimeSpan StandsStill = TimeSpan.FromSeconds(120);

    private long _number;

    /// <summary>Runs a range of inputs.</summary>
    /// <exception cref="XunitException">A finding, with what replays it.</exception>
    public async Task<FuzzReport> RunAsync(long first, long count)
    {
        _number = first;
        Task<FuzzReport> run = Task.Factory.StartNew(
            () => RunCore(first, count), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        for (long before = -1; ; before = Volatile.Read(ref _number))
        {
            try
            {
                return await run.WaitAsync(StandsStill);
            }
            catch (TimeoutException) when (before != Volatile.Read(ref _number))
            {
                // It goes on.
            }
            catch (TimeoutException)
            {
                throw Finding(before, "it does not end", null);
            }
        }
    }

    private FuzzReport RunCore(long first, long count)
    {
        var mutator = new Mutator(target.Corpus, seed);
        long accepted = 0, maxAllocated = 0;
        // What is valid is accepted, or the corpus would be worth nothing.
        foreach (byte[] valid in target.Corpus)
        {
            if (!target.Decode(valid)) throw new XunitException($"{target.Name} refuses a valid input: {Convert.ToHexStringLower(valid)}");
        }
        long started = Stopwatch.GetTimestamp();
        for (long number = first; number < first + count; number++)
        {
            Volatile.Write(ref _number, number);
            ReadOnlyMemory<byte> input = mutator.Make(number);
            long before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                if (target.Decode(input)) accepted++;
            }
            catch (Exception e)
            {
                throw Finding(number, "it failed in a way that is not documented", e);
            }
            long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            maxAllocated = Math.Max(maxAllocated, allocated);
            if (allocated > target.FixedBytes + ((long)target.BytesPerByte * input.Length))
                throw Finding(number, $"it allocated {allocated} bytes for {input.Length}", null);
        }
        return new FuzzReport(target.Name, count, accepted, maxAllocated, Stopwatch.GetElapsedTime(started));
    }

    private XunitException Finding(long number, string what, Exception? cause)
    {
        string hex = Convert.ToHexStringLower(new Mutator(target.Corpus, seed).Make(number).Span);
        return new XunitException(
            $"{target.Name}: {what}. Replay with EVENTMESH_FUZZ_REPLAY={target.Name}:{seed}:{number}. The input: {(hex.Length > 400 ? hex[..400] + "..." : hex)}", cause);
    }
}
