using System.Security.Cryptography;
using EventMesh.Transport.Ngtcp2.Interop;

namespace EventMesh.Transport.Ngtcp2.Internal;

/// <summary>Cryptographic random bytes, fetched in bulk: ids are short and many. Loop thread only.</summary>
internal sealed class RandomSource
{
    private readonly byte[] _bytes = new byte[4096];
    private int _used = 4096;

    public void Fill(Span<byte> destination)
    {
        if (destination.Length > _bytes.Length - _used)
        {
            RandomNumberGenerator.Fill(_bytes);
            _used = 0;
        }
        Span<byte> source = _bytes.AsSpan(_used, destination.Length);
        source.CopyTo(destination);
        source.Clear();
        _used += destination.Length;
    }

    /// <summary>Makes a connection id of the given length.</summary>
    public unsafe void Fill(ngtcp2_cid* id, int length)
    {
        id->datalen = (nuint)length;
        Fill(new Span<byte>(id->data, length));
    }
}
