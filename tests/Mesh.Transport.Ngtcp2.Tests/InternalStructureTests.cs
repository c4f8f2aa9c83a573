using EventMesh.Transport.Ngtcp2.Internal;
using Shouldly;
using Xunit;

namespace EventMesh.Transport.Ngtcp2.Tests;

/// <summary>The parts that need no socket.</summary>
public sealed class InternalStructureTests
{
    [Fact]
    public void Timers_come_due_in_order_whatever_was_moved_and_removed()
    {
        var random = new Random(7);
        var heap = new TimerHeap();
        var timers = Enumerable.Range(0, 300).Select(_ => new Timer()).ToArray();
        for (int i = 0; i < 20_000; i++)
        {
            Timer timer = timers[random.Next(timers.Length)];
            if (random.Next(4) == 0)
                heap.Remove(timer);
            else
                heap.Set(timer, (ulong)random.Next(1, 1000));
        }
        ulong[] expected = [.. timers.Where(timer => timer.HeapIndex >= 0).Select(timer => timer.Deadline).Order()];

        var actual = new List<ulong>();
        while (heap.Earliest != ulong.MaxValue)
        {
            ulong earliest = heap.Earliest;
            heap.TakeDue(earliest - 1).ShouldBeNull();
            heap.TakeDue(earliest).ShouldNotBeNull();
            actual.Add(earliest);
        }

        actual.ShouldBe(expected);
        timers.ShouldAllBe(timer => timer.HeapIndex == -1);
    }

    [Fact]
    public void Stops_are_found_among_other_frames()
    {
        byte[] payload =
        [
            0x00, 0x01,                                  // PADDING, PING
            0x03, 0x05, 0x00, 0x01, 0x00, 0x02, 0x03, 0x01, 0x01, 0x01, // ACK with one range and ECN
            0x05, 0x04, 0x40, 0x50,                      // STOP_SENDING stream 4, code 80
            0x0e, 0x08, 0x00, 0x02, 0xaa, 0xbb,          // STREAM with offset and length
            0x18, 0x01, 0x00, 0x02, 0x01, 0x02, .. new byte[16], // NEW_CONNECTION_ID
            0x04, 0x00, 0x01, 0x02,                      // RESET_STREAM
            0x11, 0x00, 0x01, 0x1a, .. new byte[8],      // MAX_STREAM_DATA, PATH_CHALLENGE
            0x05, 0x08, 0x07,                            // STOP_SENDING stream 8, code 7
            0x08, 0x00, 0x05, 0x0c, 0x01,                // STREAM to the end of the packet: no frame in it counts
        ];

        Scan(payload).ShouldBe([(4, 80UL), (8, 7UL)]);
    }

    [Fact]
    public void Scanner_bears_any_bytes()
    {
        var random = new Random(9);
        for (int i = 0; i < 50_000; i++)
        {
            var payload = new byte[random.Next(64)];
            random.NextBytes(payload);
            if (payload.Length > 0)
                payload[0] %= 0x20;
            Scan(payload).Count.ShouldBeLessThanOrEqualTo(payload.Length);
        }
    }

    [Fact]
    public void Answers_are_limited_per_second()
    {
        var limit = new RateLimit(3);

        Enumerable.Range(0, 5).Count(_ => limit.TryTake(now: 10)).ShouldBe(3);
        limit.TryTake(now: 1_000_000_001).ShouldBeTrue();
    }

    private static List<(long Stream, ulong Code)> Scan(byte[] payload)
    {
        var found = new List<(long, ulong)>();
        StopSendingScanner.Scan(payload, found, static (list, stream, code) => list.Add((stream, code)));
        return found;
    }

    private sealed class Timer : TimerEntry
    {
        internal override void OnTimer(ulong now)
        {
        }
    }
}
