namespace EventMesh.Adversary.Fuzzing;

/// <summary>Makes inputs of valid ones: an input follows from the corpus, the seed and its number.</summary>
internal sealed class Mutator(IReadOnlyList<byte[]> corpus, ulong seed)
{
    /// <summary>No input is longer; a little above the largest control frame.</summary>
    public const int MaxLength = 20 * 1024;

    private static readonly byte[] Interesting = [0x00, 0x01, 0x3f, 0x40, 0x41, 0x7f, 0x80, 0x81, 0xbf, 0xc0, 0xfe, 0xff];

    // The ends of what varints of protobuf and QUIC can say, and of 32 and 64 bits.
    private static readonly byte[][] Numbers =
    [
        [0xff, 0xff, 0xff, 0xff, 0x0f], [0x80, 0x80, 0x80, 0x80, 0x08], [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
        [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00], [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        [0xc0, 0, 0, 0, 0x40, 0, 0, 0], [0xbf, 0xff, 0xff, 0xff], [0x80, 0, 0x40, 0], [0x80, 0, 0x40, 0x01], [0x7f, 0xff],
    ];

    private readonly byte[] _buffer = new byte[MaxLength];

    /// <summary>Makes the input of a number; valid until the next call.</summary>
    public ReadOnlyMemory<byte> Make(long number)
    {
        var random = new SplitMix(seed + ((ulong)number * 0x2545_F491_4F6C_DD1D));
        int length;
        if (random.Below(16) == 0)
        {
            length = random.Below(random.Below(8) == 0 ? 2048 : 64);
            for (int i = 0; i < length; i++) _buffer[i] = (byte)random.Next();
            return _buffer.AsMemory(0, length);
        }
        byte[] origin = corpus[random.Below(corpus.Count)];
        origin.CopyTo(_buffer, 0);
        length = origin.Length;
        for (int rounds = 1 + random.Below(6); rounds > 0; rounds--) length = Mutate(ref random, length);
        return _buffer.AsMemory(0, length);
    }

    private int Mutate(ref SplitMix random, int length)
    {
        int at = length == 0 ? 0 : random.Below(length);
        switch (random.Below(9))
        {
            case 0 when length > 0:
                _buffer[at] ^= (byte)(1 << random.Below(8));
                return length;
            case 1 when length > 0:
                _buffer[at] = Interesting[random.Below(Interesting.Length)];
                return length;
            case 2 when length > 0:
                _buffer[at] += (byte)(random.Below(2) == 0 ? 1 : 255);
                return length;
            case 3:
                return at;
            case 4:
                return Remove(at, 1 + random.Below(Math.Max(1, length - at)), length);
            case 5:
                byte[] number = Numbers[random.Below(Numbers.Length)];
                return Insert(at, number, length);
            case 6:
                byte[] other = corpus[random.Below(corpus.Count)];
                int from = other.Length == 0 ? 0 : random.Below(other.Length);
                return Insert(at, other.AsSpan(from), length);
            case 7:
                // The same again, up to many times: repeated fields, repeated frames.
                byte[] piece = _buffer[at..Math.Min(length, at + 1 + random.Below(32))];
                for (int times = 1 + random.Below(random.Below(16) == 0 ? 600 : 3); times > 0; times--) length = Insert(at, piece, length);
                return length;
            default:
                return Insert(at, [(byte)random.Next()], length);
        }
    }

    private int Remove(int at, int count, int length)
    {
        count = Math.Min(count, length - at);
        Buffer.BlockCopy(_buffer, at + count, _buffer, at, length - at - count);
        return length - count;
    }

    private int Insert(int at, ReadOnlySpan<byte> piece, int length)
    {
        int count = Math.Min(piece.Length, MaxLength - length);
        Buffer.BlockCopy(_buffer, at, _buffer, at + count, length - at);
        piece[..count].CopyTo(_buffer.AsSpan(at));
        return length + count;
    }
}
