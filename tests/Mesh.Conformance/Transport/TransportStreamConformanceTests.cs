using EventMesh.Transport;
using Shouldly;
using Xunit;

namespace EventMesh.Conformance;

/// <summary>Streams: data, ends, aborts, cancellation.</summary>
public abstract class TransportStreamConformanceTests : TransportConformanceTests
{
    private const ulong LargestCode = (1UL << 62) - 1;

    [Fact]
    public async Task One_way_stream_carries_data_and_its_end()
    {
        ConnectionPair pair = await ConnectAsync();
        ITransportStream local = Own(await Within(pair.Client.OpenStreamAsync(StreamDirection.Unidirectional, CancellationToken.None)));
        byte[] sent = Payload(100_000);

        Task write = local.WriteAsync(sent, endStream: true, CancellationToken.None).AsTask();
        ITransportStream remote = Own(await Within(pair.Server.AcceptStreamAsync(CancellationToken.None)));
        byte[] received = await Within(ReadToEndAsync(remote));
        await Within(write);

        ShouldBeSame(received, sent);
        (local.CanWrite, local.CanRead, local.Direction).ShouldBe((true, false, StreamDirection.Unidirectional));
        (remote.CanWrite, remote.CanRead, remote.Direction).ShouldBe((false, true, StreamDirection.Unidirectional));
        remote.Id.ShouldBe(local.Id);
        (local.Id & 3).ShouldBe(2);
    }

    [Fact]
    public async Task Stream_of_the_listener_reaches_the_dialer()
    {
        ConnectionPair pair = await ConnectAsync();

        StreamPair stream = await OpenAsync(pair.Server, pair.Client, StreamDirection.Unidirectional);
        await Within(stream.Local.WriteAsync(new byte[] { 7 }, endStream: true, CancellationToken.None));

        (await Within(ReadToEndAsync(stream.Remote))).ShouldBe([7]);
        (stream.Local.Id & 3).ShouldBe(3);
    }

    [Fact]
    public async Task Two_way_stream_carries_data_both_ways()
    {
        ConnectionPair pair = await ConnectAsync();
        StreamPair stream = await OpenAsync(pair.Client, pair.Server, StreamDirection.Bidirectional);
        byte[] there = Payload(50_000, seed: 1);
        byte[] back = Payload(60_000, seed: 2);

        Task<byte[]> readThere = ReadToEndAsync(stream.Remote);
        Task<byte[]> readBack = ReadToEndAsync(stream.Local);
        Task writeThere = stream.Local.WriteAsync(there, endStream: true, CancellationToken.None).AsTask();
        Task writeBack = stream.Remote.WriteAsync(back, endStream: true, CancellationToken.None).AsTask();
        await Within(Task.WhenAll(writeThere, writeBack));

        ShouldBeSame(await Within(readThere), there);
        ShouldBeSame(await Within(readBack), back);
        (stream.Local.Id & 3).ShouldBe(0);
    }

    [Fact]
    public async Task One_side_of_a_stream_ends_before_the_other()
    {
        ConnectionPair pair = await ConnectAsync();
        StreamPair stream = await OpenAsync(pair.Client, pair.Server, StreamDirection.Bidirectional);

        await Within(stream.Local.WriteAsync(default, endStream: true, CancellationToken.None));
        (await Within(ReadToEndAsync(stream.Remote))).ShouldBeEmpty();

        await Within(stream.Remote.WriteAsync(new byte[] { 9 }, endStream: true, CancellationToken.None));
        (await Within(ReadToEndAsync(stream.Local))).ShouldBe([9]);
    }

    [Fact]
    public async Task Empty_stream_is_only_its_end()
    {
        ConnectionPair pair = await ConnectAsync();
        ITransportStream local = Own(await Within(pair.Client.OpenStreamAsync(StreamDirection.Unidirectional, CancellationToken.None)));

        await Within(local.WriteAsync(default, endStream: true, CancellationToken.None));
        ITransportStream remote = Own(await Within(pair.Server.AcceptStreamAsync(CancellationToken.None)));

        (await Within(remote.ReadAsync(new byte[10], CancellationToken.None))).ShouldBe(0);
        (await Within(remote.ReadAsync(new byte[10], CancellationToken.None))).ShouldBe(0, "the end stays the end");
        await Within(local.WritesAcknowledged);
    }

    [Fact]
    public async Task Peer_sees_a_stream_with_its_first_byte_only()
    {
        ConnectionPair pair = await ConnectAsync();
        ITransportStream silent = Own(await Within(pair.Client.OpenStreamAsync(StreamDirection.Unidirectional, CancellationToken.None)));
        ITransportStream other = Own(await Within(pair.Client.OpenStreamAsync(StreamDirection.Bidirectional, CancellationToken.None)));

        await Within(other.WriteAsync(new byte[] { 1 }, endStream: false, CancellationToken.None));
        ITransportStream first = Own(await Within(pair.Server.AcceptStreamAsync(CancellationToken.None)));
        await Within(silent.WriteAsync(new byte[] { 2 }, endStream: true, CancellationToken.None));
        ITransportStream second = Own(await Within(pair.Server.AcceptStreamAsync(CancellationToken.None)));

        first.Direction.ShouldBe(StreamDirection.Bidirectional);
        (await Within(ReadToEndAsync(second))).ShouldBe([2]);
    }

    [Fact]
    public async Task Buffer_is_free_after_the_write()
    {
        ConnectionPair pair = await ConnectAsync();
        StreamPair stream = await OpenAsync(pair.Client, pair.Server, StreamDirection.Unidirectional);
        Task<byte[]> read = ReadToEndAsync(stream.Remote);
        var buffer = new byte[1000];

        for (byte i = 0; i < 200; i++)
        {
            Array.Fill(buffer, i);
            await Within(stream.Local.WriteAsync(buffer, endStream: i == 199, CancellationToken.None));
            Array.Fill(buffer, (byte)255);
        }

        (await Within(read)).Chunk(1000).Select(chunk => chunk.Distinct().ShouldHaveSingleItem()).ShouldBe(Enumerable.Range(0, 200).Select(i => (byte)i));
    }

    [Fact]
    public async Task Reads_of_one_byte_lose_nothing()
    {
        ConnectionPair pair = await ConnectAsync();
        StreamPair stream = await OpenAsync(pair.Client, pair.Server, StreamDirection.Unidirectional);
        byte[] sent = Payload(3000);

        await Within(stream.Local.WriteAsync(sent, endStream: true, CancellationToken.None));

        ShouldBeSame(await Within(ReadToEndAsync(stream.Remote, bufferSize: 1)), sent);
    }

    [Theory]
    [InlineData(0UL)]
    [InlineData(77UL)]
    [InlineData(LargestCode)]
    public async Task Reset_reaches_the_reader_with_its_code(ulong code)
    {
        ConnectionPair pair = await ConnectAsync();
        StreamPair stream = await OpenAsync(pair.Client, pair.Server, StreamDirection.Unidirectional);
        Task<int> read = stream.Remote.ReadAsync(new byte[1], CancellationToken.None).AsTask();

        stream.Local.Reset(code);

        (await Fails(MeshError.ClosedByPeer, read)).RemoteCode.ShouldBe(code);
        (await Fails(MeshError.ClosedByPeer, stream.Remote.ReadAsync(new byte[1], CancellationToken.None))).RemoteCode.ShouldBe(code);
        await Fails(MeshError.Aborted, stream.Local.WriteAsync(new byte[1], endStream: false, CancellationToken.None));
        await Fails(MeshError.Aborted, stream.Local.WritesAcknowledged);
        await RoundTripAsync(pair.Client, pair.Server);
    }

    [Fact]
    public async Task Reset_before_any_data_shows_the_stream()
    {
        ConnectionPair pair = await ConnectAsync();
        ITransportStream local = Own(await Within(pair.Client.OpenStreamAsync(StreamDirection.Unidirectional, CancellationToken.None)));

        local.Reset(5);
        ITransportStream remote = Own(await Within(pair.Server.AcceptStreamAsync(CancellationToken.None)));

        (await Fails(MeshError.ClosedByPeer, remote.ReadAsync(new byte[1], CancellationToken.None))).RemoteCode.ShouldBe(5UL);
    }

    [Theory]
    [InlineData(0UL)]
    [InlineData(78UL)]
    [InlineData(LargestCode)]
    public async Task Stop_reaches_the_writer_with_its_code(ulong code)
    {
        ConnectionPair pair = await ConnectAsync();
        StreamPair stream = await OpenAsync(pair.Client, pair.Server, StreamDirection.Unidirectional);
        Task acknowledged = stream.Local.WritesAcknowledged;

        stream.Remote.StopSending(code);

        (await Fails(MeshError.ClosedByPeer, acknowledged)).RemoteCode.ShouldBe(code);
        (await Fails(MeshError.ClosedByPeer, stream.Local.WriteAsync(new byte[1], endStream: false, CancellationToken.None))).RemoteCode.ShouldBe(code);
        await Fails(MeshError.Aborted, stream.Remote.ReadAsync(new byte[1], CancellationToken.None));
        await RoundTripAsync(pair.Client, pair.Server);
    }

    [Fact]
    public async Task Aborts_of_one_direction_leave_the_other()
    {
        ConnectionPair pair = await ConnectAsync();
        StreamPair stream = await OpenAsync(pair.Client, pair.Server, StreamDirection.Bidirectional);

        stream.Local.Reset(1);
        await Fails(MeshError.ClosedByPeer, stream.Remote.ReadAsync(new byte[1], CancellationToken.None));
        await Within(stream.Remote.WriteAsync(new byte[] { 4, 5 }, endStream: true, CancellationToken.None));

        (await Within(ReadToEndAsync(stream.Local))).ShouldBe([4, 5]);
        await Within(stream.Remote.WritesAcknowledged);
    }

    [Fact]
    public async Task Own_aborts_end_own_pending_operations()
    {
        ConnectionPair pair = await ConnectAsync();
        StreamPair stream = await OpenAsync(pair.Client, pair.Server, StreamDirection.Bidirectional);
        Task<int> read = stream.Local.ReadAsync(new byte[1], CancellationToken.None).AsTask();

        stream.Local.StopSending(1);
        stream.Local.Reset(2);

        await Fails(MeshError.Aborted, read);
        await Fails(MeshError.Aborted, stream.Local.WriteAsync(new byte[1], endStream: false, CancellationToken.None));
    }

    [Fact]
    public async Task Writes_are_acknowledged_without_a_reader()
    {
        ConnectionPair pair = await ConnectAsync();
        StreamPair stream = await OpenAsync(pair.Client, pair.Server, StreamDirection.Unidirectional);

        stream.Local.WritesAcknowledged.IsCompleted.ShouldBeFalse("the stream has not ended");
        await Within(stream.Local.WriteAsync(Payload(1000), endStream: true, CancellationToken.None));

        await Within(stream.Local.WritesAcknowledged);
        stream.Local.Reset(9);
        (await Within(ReadToEndAsync(stream.Remote))).Length.ShouldBe(1000, "a reset after the acknowledgement does nothing");
    }

    [Fact]
    public async Task Misuse_of_a_direction_throws()
    {
        ConnectionPair pair = await ConnectAsync();
        StreamPair stream = await OpenAsync(pair.Client, pair.Server, StreamDirection.Unidirectional);

        await Should.ThrowAsync<InvalidOperationException>(async () => await stream.Local.ReadAsync(new byte[1], CancellationToken.None));
        await Should.ThrowAsync<InvalidOperationException>(async () => await stream.Remote.WriteAsync(new byte[1], endStream: true, CancellationToken.None));
        await Within(stream.Local.WriteAsync(default, endStream: true, CancellationToken.None));
        await Should.ThrowAsync<InvalidOperationException>(async () => await stream.Local.WriteAsync(new byte[1], endStream: false, CancellationToken.None));
    }

    [Fact]
    public async Task Second_read_at_a_time_throws()
    {
        ConnectionPair pair = await ConnectAsync();
        StreamPair stream = await OpenAsync(pair.Client, pair.Server, StreamDirection.Unidirectional);
        Task<int> read = stream.Remote.ReadAsync(new byte[1], CancellationToken.None).AsTask();

        await Should.ThrowAsync<InvalidOperationException>(async () => await stream.Remote.ReadAsync(new byte[1], CancellationToken.None));

        await Within(stream.Local.WriteAsync(new byte[1], endStream: true, CancellationToken.None));
        (await Within(read)).ShouldBe(1);
    }

    [Fact]
    public async Task Second_write_at_a_time_throws()
    {
        ConnectionPair pair = await ConnectAsync(o => o with { StreamWindow = 64 * 1024 }, o => o with { SendBuffer = 64 * 1024 });
        StreamPair stream = await OpenAsync(pair.Client, pair.Server, StreamDirection.Unidirectional);
        byte[] sent = Payload(16 * 1024 * 1024);
        Task write = stream.Local.WriteAsync(sent, endStream: true, CancellationToken.None).AsTask();

        await Should.ThrowAsync<InvalidOperationException>(async () => await stream.Local.WriteAsync(new byte[1], endStream: false, CancellationToken.None));

        (await Within(ReadToEndAsync(stream.Remote))).Length.ShouldBe(sent.Length);
        await Within(write);
    }

    [Fact]
    public async Task Cancelling_a_read_loses_no_byte()
    {
        ConnectionPair pair = await ConnectAsync();
        StreamPair stream = await OpenAsync(pair.Client, pair.Server, StreamDirection.Unidirectional);
        for (byte i = 0; i < 20; i++)
        {
            using var cancel = new CancellationTokenSource();
            Task<int> read = stream.Remote.ReadAsync(new byte[10], cancel.Token).AsTask();
            await cancel.CancelAsync();
            await IsCancelled(read);

            var buffer = new byte[10];
            await Within(stream.Local.WriteAsync(new[] { i }, endStream: false, CancellationToken.None));
            (await Within(stream.Remote.ReadAsync(buffer, CancellationToken.None))).ShouldBe(1);
            buffer[0].ShouldBe(i);
        }
    }

    [Fact]
    public async Task Cancelling_a_write_resets_the_stream()
    {
        ConnectionPair pair = await ConnectAsync(o => o with { StreamWindow = 64 * 1024 }, o => o with { SendBuffer = 64 * 1024 });
        StreamPair stream = await OpenAsync(pair.Client, pair.Server, StreamDirection.Bidirectional);
        using var cancel = new CancellationTokenSource();
        Task write = stream.Local.WriteAsync(Payload(16 * 1024 * 1024), endStream: false, cancel.Token).AsTask();

        await cancel.CancelAsync();

        await IsCancelled(write);
        (await Fails(MeshError.ClosedByPeer, ReadToEndAsync(stream.Remote))).RemoteCode.ShouldBe(0UL);
        await Fails(MeshError.Aborted, stream.Local.WriteAsync(new byte[1], endStream: false, CancellationToken.None));
        await Within(stream.Remote.WriteAsync(new byte[] { 6 }, endStream: true, CancellationToken.None));
        (await Within(ReadToEndAsync(stream.Local))).ShouldBe([6], "the other direction goes on");
    }

    [Fact]
    public async Task Disposing_aborts_both_sides_with_code_zero()
    {
        ConnectionPair pair = await ConnectAsync();
        StreamPair stream = await OpenAsync(pair.Client, pair.Server, StreamDirection.Bidirectional);
        Task acknowledged = stream.Remote.WritesAcknowledged;

        await Within(stream.Local.DisposeAsync());
        await Within(stream.Local.DisposeAsync());

        (await Fails(MeshError.ClosedByPeer, stream.Remote.ReadAsync(new byte[1], CancellationToken.None))).RemoteCode.ShouldBe(0UL);
        (await Fails(MeshError.ClosedByPeer, acknowledged)).RemoteCode.ShouldBe(0UL);
        await RoundTripAsync(pair.Client, pair.Server);
    }

    [Fact]
    public async Task Disposing_after_the_end_still_delivers()
    {
        ConnectionPair pair = await ConnectAsync();
        byte[] sent = Payload(500_000);
        ITransportStream local = await Within(pair.Client.OpenStreamAsync(StreamDirection.Unidirectional, CancellationToken.None));
        await Within(local.WriteAsync(sent, endStream: true, CancellationToken.None));

        await Within(local.DisposeAsync());

        ITransportStream remote = Own(await Within(pair.Server.AcceptStreamAsync(CancellationToken.None)));
        ShouldBeSame(await Within(ReadToEndAsync(remote)), sent);
    }

    [Fact]
    public async Task Streams_open_in_the_order_of_the_calls()
    {
        ConnectionPair pair = await ConnectAsync(o => o with { MaxInboundStreams = 4 });
        Task<ITransportStream>[] opens =
            [.. Enumerable.Range(0, 16).Select(_ => pair.Client.OpenStreamAsync(StreamDirection.Unidirectional, CancellationToken.None).AsTask())];

        for (int i = 0; i < opens.Length; i++)
        {
            ITransportStream local = await Within(opens[i]);
            await Within(local.WriteAsync(new[] { (byte)i }, endStream: true, CancellationToken.None));
            local.Id.ShouldBe((i * 4) + 2);
            ITransportStream remote = await Within(pair.Server.AcceptStreamAsync(CancellationToken.None));
            (await Within(ReadToEndAsync(remote))).ShouldBe([(byte)i]);
            await Within(remote.DisposeAsync());
        }
    }

    [Fact]
    public async Task Cancelling_the_opening_of_a_stream_loses_nothing()
    {
        ConnectionPair pair = await ConnectAsync(o => o with { MaxInboundStreams = 1 });
        StreamPair first = await OpenAsync(pair.Client, pair.Server, StreamDirection.Unidirectional);
        using var cancel = new CancellationTokenSource();
        Task<ITransportStream> cancelled = pair.Client.OpenStreamAsync(StreamDirection.Unidirectional, cancel.Token).AsTask();
        Task<ITransportStream> next = pair.Client.OpenStreamAsync(StreamDirection.Unidirectional, CancellationToken.None).AsTask();

        await cancel.CancelAsync();
        await IsCancelled(cancelled);
        next.IsCompleted.ShouldBeFalse("the limit of one stream is reached");
        await Within(first.Local.WriteAsync(default, endStream: true, CancellationToken.None));
        (await Within(ReadToEndAsync(first.Remote))).ShouldBeEmpty();
        await Within(first.Remote.DisposeAsync());

        ITransportStream local = Own(await Within(next));
        await Within(local.WriteAsync(new byte[] { 8 }, endStream: true, CancellationToken.None));
        ITransportStream remote = Own(await Within(pair.Server.AcceptStreamAsync(CancellationToken.None)));
        (await Within(ReadToEndAsync(remote))).ShouldBe([8]);
    }

    [Fact]
    public async Task Cancelling_the_acceptance_of_a_stream_loses_nothing()
    {
        ConnectionPair pair = await ConnectAsync();
        for (byte i = 0; i < 20; i++)
        {
            using var cancel = new CancellationTokenSource();
            Task<ITransportStream> accept = pair.Server.AcceptStreamAsync(cancel.Token).AsTask();
            await cancel.CancelAsync();
            await IsCancelled(accept);

            ITransportStream local = Own(await Within(pair.Client.OpenStreamAsync(StreamDirection.Unidirectional, CancellationToken.None)));
            await Within(local.WriteAsync(new[] { i }, endStream: true, CancellationToken.None));
            ITransportStream remote = Own(await Within(pair.Server.AcceptStreamAsync(CancellationToken.None)));
            (await Within(ReadToEndAsync(remote))).ShouldBe([i]);
        }
    }
}
