using System.Security.Cryptography;
using EventMesh.Transport;
using Shouldly;
using Xunit;

namespace EventMesh.Conformance;

/// <summary>Windows, limits and volume.</summary>
public abstract class TransportFlowControlConformanceTests : TransportConformanceTests
{
    private const int KiB = 1024;
    private const int MiB = 1024 * KiB;

    // What a provider may hold beyond the buffers and windows it was told: its own rounding and its current pieces.
    private const int Slack = 4 * MiB;

    [Fact]
    public async Task Writer_stalls_while_nobody_reads_and_goes_on_after()
    {
        const int Total = 24 * MiB;
        ConnectionPair pair = await ConnectAsync(o => o with { StreamWindow = 256 * KiB }, o => o with { SendBuffer = 256 * KiB });
        StreamPair stream = await OpenAsync(pair.Client, pair.Server, StreamDirection.Unidirectional);
        var counter = new Counter();

        Task write = WriteAsync(stream.Local, Total, counter);
        await UntilStalledAsync(pair, counter);

        write.IsCompleted.ShouldBeFalse();
        counter.Value.ShouldBeInRange(1, (256 * KiB) + (256 * KiB) + Slack);
        byte[] received = await Within(ReadToEndAsync(stream.Remote));
        await Within(write);
        received.Length.ShouldBe(Total);
    }

    [Fact]
    public async Task Unread_streams_together_stay_in_the_window_of_the_connection()
    {
        const int Streams = 8;
        ConnectionPair pair = await ConnectAsync(
            o => o with { StreamWindow = MiB, ConnectionWindow = MiB }, o => o with { SendBuffer = 64 * KiB });
        var counter = new Counter();
        var writes = new List<Task>();
        var streams = new List<StreamPair>();
        for (int i = 0; i < Streams; i++)
            streams.Add(await OpenAsync(pair.Client, pair.Server, StreamDirection.Unidirectional));
        foreach (StreamPair stream in streams)
            writes.Add(WriteAsync(stream.Local, 4 * MiB, counter));

        // The connection's window may be shut, so another connection measures how far the writers come.
        await UntilStalledAsync(await ConnectAsync(), counter);

        counter.Value.ShouldBeInRange(1, MiB + (Streams * 64 * KiB) + Slack);
        Task<byte[]>[] reads = [.. streams.Select(stream => ReadToEndAsync(stream.Remote))];
        (await Within(Task.WhenAll(reads))).ShouldAllBe(read => read.Length == 4 * MiB);
        await Within(Task.WhenAll(writes));
    }

    [Fact]
    public async Task Unread_stream_does_not_stop_another()
    {
        ConnectionPair pair = await ConnectAsync(o => o with { StreamWindow = 64 * KiB }, o => o with { SendBuffer = 64 * KiB });
        StreamPair unread = await OpenAsync(pair.Client, pair.Server, StreamDirection.Unidirectional);
        Task write = unread.Local.WriteAsync(Payload(16 * MiB), endStream: true, CancellationToken.None).AsTask();

        byte[] sent = Payload(2 * MiB, seed: 7);
        StreamPair other = await OpenAsync(pair.Client, pair.Server, StreamDirection.Unidirectional);
        Task otherWrite = other.Local.WriteAsync(sent, endStream: true, CancellationToken.None).AsTask();
        ShouldBeSame(await Within(ReadToEndAsync(other.Remote)), sent);
        await Within(otherWrite);

        write.IsCompleted.ShouldBeFalse();
        (await Within(ReadToEndAsync(unread.Remote))).Length.ShouldBe(16 * MiB);
        await Within(write);
    }

    [Fact]
    public async Task Unaccepted_streams_stop_their_sender_and_nobody_else()
    {
        const int StreamLimit = 8;
        ITransportEndpoint server = await ServerAsync(o => o with { MaxInboundStreams = StreamLimit });
        ITransportEndpoint client = await ClientAsync();
        ConnectionPair ignored = await ConnectAsync(server, client);
        ConnectionPair served = await ConnectAsync(server, client);
        for (byte i = 0; i < StreamLimit; i++)
        {
            ITransportStream stream = await Within(ignored.Client.OpenStreamAsync(StreamDirection.Unidirectional, CancellationToken.None));
            await Within(stream.WriteAsync(new[] { i }, endStream: true, CancellationToken.None));
            await Within(stream.WritesAcknowledged);
        }

        Task<ITransportStream> beyond = ignored.Client.OpenStreamAsync(StreamDirection.Unidirectional, CancellationToken.None).AsTask();
        for (int i = 0; i < 3 * StreamLimit; i++)
            await RoundTripAsync(served.Client, served.Server);

        beyond.IsCompleted.ShouldBeFalse("unaccepted streams count against the limit");
        for (byte i = 0; i < StreamLimit; i++)
        {
            ITransportStream stream = await Within(ignored.Server.AcceptStreamAsync(CancellationToken.None));
            (await Within(ReadToEndAsync(stream))).ShouldHaveSingleItem();
            await Within(stream.DisposeAsync());
        }
        Own(await Within(beyond));
    }

    [Theory]
    [InlineData(StreamDirection.Unidirectional)]
    [InlineData(StreamDirection.Bidirectional)]
    public async Task Aborted_streams_give_their_credit_back(StreamDirection direction)
    {
        ConnectionPair pair = await ConnectAsync(o => o with { MaxInboundStreams = 4 });

        for (int i = 0; i < 100; i++)
        {
            StreamPair stream = await OpenAsync(pair.Client, pair.Server, direction);
            switch (i % 4)
            {
                case 0:
                    stream.Local.Reset(1);
                    break;
                case 1:
                    stream.Remote.StopSending(2);
                    break;
                case 2:
                    // Data that is not read when the stream goes must not keep the connection's window.
                    await Within(stream.Local.WriteAsync(new byte[50_000], endStream: true, CancellationToken.None));
                    break;
            }
            await Within(stream.Local.DisposeAsync());
            await Within(stream.Remote.DisposeAsync());
        }

        await RoundTripAsync(pair.Client, pair.Server);
    }

    [Fact]
    public async Task Dropped_data_gives_the_window_of_the_connection_back()
    {
        ConnectionPair pair = await ConnectAsync(o => o with { StreamWindow = 128 * KiB, ConnectionWindow = 256 * KiB });

        for (int i = 0; i < 40; i++)
        {
            StreamPair stream = await OpenAsync(pair.Client, pair.Server, StreamDirection.Unidirectional);
            await Within(stream.Local.WriteAsync(new byte[60_000], endStream: false, CancellationToken.None));
            if (i % 2 == 0)
                await Within(stream.Remote.DisposeAsync());
            else
                await Within(stream.Local.DisposeAsync());
        }

        StreamPair last = await OpenAsync(pair.Client, pair.Server, StreamDirection.Unidirectional);
        Task write = last.Local.WriteAsync(Payload(MiB), endStream: true, CancellationToken.None).AsTask();
        (await Within(ReadToEndAsync(last.Remote))).Length.ShouldBe(MiB);
        await Within(write);
    }

    [Fact]
    public async Task Two_thousand_streams_over_a_limit_of_256()
    {
        const int Count = 2000;
        ConnectionPair pair = await ConnectAsync(o => o with { MaxInboundStreams = 256 });

        Task<HashSet<int>> receive = ReceiveAsync(pair.Server);
        Task send = SendAsync(pair.Client);

        await Within(send);
        (await Within(receive)).Count.ShouldBe(Count);

        static async Task SendAsync(ITransportConnection connection)
        {
            var acknowledgements = new List<Task>();
            for (int i = 0; i < Count; i++)
            {
                ITransportStream stream = await connection.OpenStreamAsync(StreamDirection.Unidirectional, CancellationToken.None).ConfigureAwait(false);
                await stream.WriteAsync(BitConverter.GetBytes(i), endStream: true, CancellationToken.None).ConfigureAwait(false);
                acknowledgements.Add(stream.WritesAcknowledged);
            }
            await Task.WhenAll(acknowledgements).ConfigureAwait(false);
        }

        static async Task<HashSet<int>> ReceiveAsync(ITransportConnection connection)
        {
            var numbers = new HashSet<int>();
            for (int i = 0; i < Count; i++)
            {
                ITransportStream stream = await connection.AcceptStreamAsync(CancellationToken.None).ConfigureAwait(false);
                byte[] data = await ReadToEndAsync(stream, bufferSize: 16).ConfigureAwait(false);
                numbers.Add(BitConverter.ToInt32(data));
                await stream.DisposeAsync().ConfigureAwait(false);
            }
            return numbers;
        }
    }

    [Fact]
    public async Task Ten_megabytes_both_ways_arrive_whole()
    {
        ConnectionPair pair = await ConnectAsync();
        StreamPair stream = await OpenAsync(pair.Client, pair.Server, StreamDirection.Bidirectional);
        byte[] there = Payload(10_000_000, seed: 1);
        byte[] back = Payload(10_000_000, seed: 2);

        Task<byte[]> readThere = ReadToEndAsync(stream.Remote);
        Task<byte[]> readBack = ReadToEndAsync(stream.Local);
        Task writeThere = stream.Local.WriteAsync(there, endStream: true, CancellationToken.None).AsTask();
        Task writeBack = WriteInPiecesAsync(stream.Remote, back);

        SHA256.HashData(await Within(readThere)).ShouldBe(SHA256.HashData(there));
        SHA256.HashData(await Within(readBack)).ShouldBe(SHA256.HashData(back));
        await Within(Task.WhenAll(writeThere, writeBack));
        await Within(Task.WhenAll(stream.Local.WritesAcknowledged, stream.Remote.WritesAcknowledged));

        static async Task WriteInPiecesAsync(ITransportStream stream, byte[] data)
        {
            const int Piece = 10_007;
            for (int at = 0; at < data.Length; at += Piece)
            {
                int count = Math.Min(Piece, data.Length - at);
                await stream.WriteAsync(data.AsMemory(at, count), at + count == data.Length, CancellationToken.None).ConfigureAwait(false);
            }
        }
    }

    private static async Task WriteAsync(ITransportStream stream, int total, Counter counter)
    {
        var piece = new byte[16 * KiB];
        for (int sent = 0; sent < total; sent += piece.Length)
        {
            await stream.WriteAsync(piece, endStream: sent + piece.Length == total, CancellationToken.None).ConfigureAwait(false);
            counter.Add(piece.Length);
        }
    }

    /// <summary>
    /// Round trips until the count has stood still for twenty of them: an unbounded writer would have gone on meanwhile.
    /// </summary>
    private async Task UntilStalledAsync(ConnectionPair pair, Counter counter)
    {
        long last = -1;
        for (int still = 0, trips = 0; still < 20 && trips < 2000; still++, trips++)
        {
            await RoundTripAsync(pair.Client, pair.Server);
            if (counter.Value != last)
                still = 0;
            last = counter.Value;
        }
    }

    private sealed class Counter
    {
        private long _value;

        public long Value => Interlocked.Read(ref _value);

        public void Add(int count) => Interlocked.Add(ref _value, count);
    }
}
