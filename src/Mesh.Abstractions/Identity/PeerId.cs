using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Serialization;

namespace EventMesh.Identity;

/// <summary>
/// The identity of a peer: the SHA-256 of its certificate's SubjectPublicKeyInfo (RFC 5280 4.1.2.7). TLS proves it in
/// every trust mode, and a renewed certificate on the same key is the same peer.
/// </summary>
/// <remarks>Its text form is 52 characters of lower-case base32 without padding (RFC 4648 6).</remarks>
[JsonConverter(typeof(PeerIdJsonConverter))]
public readonly struct PeerId : IEquatable<PeerId>, IComparable<PeerId>
{
    /// <summary>The length of a peer identity: 32 bytes.</summary>
    public const int Length = 32;

    /// <summary>The length of the short text form for people and logs: 8 characters.</summary>
    public const int ShortLength = 8;

    private readonly ulong _a;
    private readonly ulong _b;
    private readonly ulong _c;
    private readonly ulong _d;

    /// <summary>Makes an identity of its 32 bytes.</summary>
    /// <exception cref="ArgumentException"><paramref name="bytes"/> is not 32 bytes long.</exception>
    public PeerId(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != Length)
            throw new ArgumentException($"A peer identity has {Length} bytes, not {bytes.Length}.", nameof(bytes));
        _a = BinaryPrimitives.ReadUInt64BigEndian(bytes);
        _b = BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]);
        _c = BinaryPrimitives.ReadUInt64BigEndian(bytes[16..]);
        _d = BinaryPrimitives.ReadUInt64BigEndian(bytes[24..]);
    }

    /// <summary>The identity that a certificate proves.</summary>
    public static PeerId FromCertificate(X509Certificate2 certificate)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        return FromPublicKey(certificate.PublicKey.ExportSubjectPublicKeyInfo());
    }

    /// <summary>The identity of a public key, given as DER SubjectPublicKeyInfo.</summary>
    public static PeerId FromPublicKey(ReadOnlySpan<byte> subjectPublicKeyInfo)
    {
        Span<byte> hash = stackalloc byte[Length];
        SHA256.HashData(subjectPublicKeyInfo, hash);
        return new PeerId(hash);
    }

    /// <summary>Reads the 52 character text form.</summary>
    /// <exception cref="FormatException"><paramref name="text"/> is not a peer identity.</exception>
    public static PeerId Parse(string text) =>
        TryParse(text, out PeerId id) ? id : throw new FormatException($"'{text}' is not a peer identity (52 characters a-z and 2-7).");

    /// <summary>Reads the 52 character text form; false when it is not one.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out PeerId id)
    {
        Span<byte> bytes = stackalloc byte[Length];
        if (text is not null && Base32.TryDecode(text, bytes))
        {
            id = new PeerId(bytes);
            return true;
        }
        id = default;
        return false;
    }

    /// <summary>Copies the 32 bytes into <paramref name="destination"/>.</summary>
    public void CopyTo(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt64BigEndian(destination, _a);
        BinaryPrimitives.WriteUInt64BigEndian(destination[8..], _b);
        BinaryPrimitives.WriteUInt64BigEndian(destination[16..], _c);
        BinaryPrimitives.WriteUInt64BigEndian(destination[24..], _d);
    }

    /// <summary>The 32 bytes, in a new array.</summary>
    public byte[] ToByteArray()
    {
        var bytes = new byte[Length];
        CopyTo(bytes);
        return bytes;
    }

    /// <summary>The first 8 characters of the text form: for people and logs, never for decisions.</summary>
    public string ToShortString() => ToString()[..ShortLength];

    /// <inheritdoc/>
    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[Length];
        CopyTo(bytes);
        return Base32.Encode(bytes);
    }

    /// <inheritdoc/>
    public bool Equals(PeerId other) => _a == other._a && _b == other._b && _c == other._c && _d == other._d;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is PeerId other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(_a, _b);

    /// <summary>Orders identities as unsigned big-endian numbers; the simultaneous dial is decided by it.</summary>
    public int CompareTo(PeerId other)
    {
        int order = _a.CompareTo(other._a);
        if (order == 0) order = _b.CompareTo(other._b);
        if (order == 0) order = _c.CompareTo(other._c);
        return order != 0 ? order : _d.CompareTo(other._d);
    }

    /// <summary>Equality of all 32 bytes.</summary>
    public static bool operator ==(PeerId left, PeerId right) => left.Equals(right);

    /// <summary>Inequality.</summary>
    public static bool operator !=(PeerId left, PeerId right) => !left.Equals(right);
}
