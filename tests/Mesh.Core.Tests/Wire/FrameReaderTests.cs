using System.Buffers;
using EventMesh.Transport;
using EventMesh.Wire;
using EventMesh.Wire.Frames;
using Shouldly;
using Xunit;

namespace EventMesh.Core.Tests.Wire;

public sealed class FrameReaderTests
{
    [Fact]
    public async Task A_stream_that_says_little_has_a_small_buffer()
    {
        // As a control stream does: each frame is read before the next one comes.
        byte[][] frames = [.. Enumerable.Range(0, 300).Select(i => PongFrame((ulong)i))];
        var stream = new PiecewiseStream(frames);
        using var reader = new FrameReader(stream);

        for (ulong i = 0; i < 300; i++) (await ReadNonceAsync(reader)).ShouldBe(i);

        stream.LargestRead.ShouldBeLessThanOrEqualTo(512);
        (await reader.ReadFrameAsync(WireLimits.ControlFrame, CancellationToken.None)).ShouldBeNull();
    }

    [Fact]
    public async Task A_stream_that_fills_its_buffer_gets_a_larger_one()
    {
        byte[] frames = [.. Enumerable.Range(0, 5000).SelectMany(i => PongFrame((ulong)i))];
        var stream = new PiecewiseStream(frames);
        using var reader = new FrameReader(stream);

        for (ulong i = 0; i < 5000; i++) (await ReadNonceAsync(reader)).ShouldBe(i);

        stream.LargestRead.ShouldBe(4096);
        (await reader.ReadFrameAsync(WireLimits.ControlFrame, CancellationToken.None)).ShouldBeNull();
    }

    private static byte[] PongFrame(ulong nonce)
    {
        var output = new ArrayBufferWriter<byte>();
        FrameWriter.Write(output, FrameType.Pong, new Pong { Nonce = nonce });
        return output.WrittenSpan.ToArray();
    }

    private static async Task<ulong> ReadNonceAsync(FrameReader reader)
    {
        Frame frame = (await reader.ReadFrameAsync(WireLimits.ControlFrame, CancellationToken.None)).ShouldNotBeNull();
        frame.Type.ShouldBe(FrameType.Pong);
        return FrameWriter.Parse(Pong.Parser, frame.Body).Nonce;
    }

    /// <summary>A stream whose content arrives in given pieces; a read gets no more than what is left of one.</summary>
    private sealed class PiecewiseStream(params byte[][] pieces) : ITransportStream
    {
        private int _piece;
        private int _at;

        public int LargestRead { get; private set; }

        public long Id => 2;

        public StreamDirection Direction => StreamDirection.Unidirectional;

        public bool CanRead => true;

        public bool CanWrite => false;

        public Task WritesAcknowledged => Task.CompletedTask;

        public ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
        {
            LargestRead = Math.Max(LargestRead, buffer.Length);
            if (_piece == pieces.Length) return new ValueTask<int>(0);
            int count = Math.Min(pieces[_piece].Length - _at, buffer.Length);
            pieces[_piece].AsSpan(_at, count).CopyTo(buffer.Span);
            _at += count;
            if (_at == pieces[_piece].Length) (_piece, _at) = (_piece + 1, 0);
            return new ValueTask<int>(count);
        }

        public ValueTask WriteAsync(ReadOnlyMemory<byte> data, bool endStream, CancellationToken cancellationToken) => throw new InvalidOperationException();

        public void Reset(ulong code) => throw new InvalidOperationException();

        public void StopSending(ulong code) => throw new InvalidOperationException();

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
