using System.Runtime.InteropServices;

namespace EventMesh.Transport.Ngtcp2.Internal;

/// <summary>The blocks of one endpoint, in three sizes; it keeps at most 20 MiB of unused ones.</summary>
internal sealed unsafe class NativeBufferPool : IDisposable
{
    private static readonly int[] Sizes = [1024, 16 * 1024, 64 * 1024];
    private static readonly int[] Kept = [4096, 512, 128];

    private readonly Lock[] _mutexes = [new(), new(), new()];
    private readonly Stack<NativeBuffer>[] _free = [new(), new(), new()];
    private readonly long[] _rented = new long[Sizes.Length];
    private bool _disposed;

    /// <summary>Blocks that are in use now; zero once every stream of the endpoint has ended.</summary>
    public long Rented
    {
        get
        {
            long total = 0;
            for (int sizeClass = 0; sizeClass < Sizes.Length; sizeClass++)
            {
                lock (_mutexes[sizeClass])
                    total += _rented[sizeClass];
            }
            return total;
        }
    }

    /// <summary>Takes a block.</summary>
    /// <param name="wanted">The bytes to be stored.</param>
    /// <param name="maybeAll">Whether nothing may follow: then a small block does for a small message.</param>
    public NativeBuffer Rent(int wanted, bool maybeAll)
    {
        int sizeClass = wanted <= Sizes[0] && maybeAll ? 0 : wanted <= Sizes[1] ? 1 : 2;
        lock (_mutexes[sizeClass])
        {
            _rented[sizeClass]++;
            if (_free[sizeClass].TryPop(out NativeBuffer? buffer))
            {
                buffer.Start = buffer.Length = 0;
                return buffer;
            }
        }
        return new NativeBuffer((byte*)NativeMemory.Alloc((nuint)Sizes[sizeClass]), Sizes[sizeClass], sizeClass);
    }

    /// <summary>Gives a block back; after <see cref="Dispose"/> its memory goes back to the system at once.</summary>
    public void Return(NativeBuffer buffer)
    {
        buffer.Next = null;
        int sizeClass = buffer.SizeClass;
        lock (_mutexes[sizeClass])
        {
            _rented[sizeClass]--;
            if (!_disposed && _free[sizeClass].Count < Kept[sizeClass])
            {
                _free[sizeClass].Push(buffer);
                return;
            }
        }
        buffer.Dispose();
    }

    /// <summary>Gives back a whole queue of blocks.</summary>
    public void ReturnAll(NativeBuffer? head)
    {
        while (head is not null)
        {
            NativeBuffer? next = head.Next;
            Return(head);
            head = next;
        }
    }

    public void Dispose()
    {
        for (int sizeClass = 0; sizeClass < Sizes.Length; sizeClass++)
        {
            lock (_mutexes[sizeClass])
            {
                _disposed = true;
                while (_free[sizeClass].TryPop(out NativeBuffer? buffer))
                    buffer.Dispose();
            }
        }
    }
}
