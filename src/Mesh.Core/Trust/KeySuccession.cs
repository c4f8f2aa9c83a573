using System.Buffers.Binary;
using System.Security.Cryptography;
using EventMesh.Identity;
using EventMesh.Trust.Internal;

namespace EventMesh.Trust;

/// <summary>A change of a peer's key, signed by both keys: whoever holds the old one names the new one, and the new one agrees.</summary>
public sealed class KeySuccession
{
    // Signatures made for another purpose, such as a TLS handshake, never fit.
    private static readonly byte[] Context = [.. "EventMesh key succession v1"u8, 0];

    private readonly byte[] _predecessorKey;
    private readonly byte[] _successorKey;
    private readonly byte[] _predecessorSignature;
    private readonly byte[] _successorSignature;

    internal KeySuccession(
        ReadOnlySpan<byte> predecessorKey, ReadOnlySpan<byte> successorKey, long sequence, DateTimeOffset signedAt,
        ReadOnlySpan<byte> predecessorSignature, ReadOnlySpan<byte> successorSignature)
    {
        _predecessorKey = predecessorKey.ToArray();
        _successorKey = successorKey.ToArray();
        Sequence = sequence;
        SignedAt = signedAt;
        _predecessorSignature = predecessorSignature.ToArray();
        _successorSignature = successorSignature.ToArray();
        Predecessor = PeerId.FromPublicKey(_predecessorKey);
        Successor = PeerId.FromPublicKey(_successorKey);
    }

    /// <summary>The identity of the old key.</summary>
    public PeerId Predecessor { get; }

    /// <summary>The identity of the new key.</summary>
    public PeerId Successor { get; }

    /// <summary>The number of the change, from 1.</summary>
    public long Sequence { get; }

    /// <summary>When it was signed, to the millisecond.</summary>
    public DateTimeOffset SignedAt { get; }

    internal ReadOnlySpan<byte> PredecessorKey => _predecessorKey;

    internal ReadOnlySpan<byte> SuccessorKey => _successorKey;

    internal ReadOnlySpan<byte> PredecessorSignature => _predecessorSignature;

    internal ReadOnlySpan<byte> SuccessorSignature => _successorSignature;

    /// <summary>Whether both signatures are true and the two keys differ. Costs two signature checks.</summary>
    public bool IsValid()
    {
        if (Predecessor == Successor || Sequence < 1) return false;
        byte[] statement = Statement(_predecessorKey, _successorKey, Sequence, SignedAt);
        return IdentityKey.Verify(_predecessorKey, statement, _predecessorSignature) && IdentityKey.Verify(_successorKey, statement, _successorSignature);
    }

    internal static KeySuccession Sign(IdentityKey predecessor, IdentityKey successor, long sequence, DateTimeOffset now)
    {
        var signedAt = DateTimeOffset.FromUnixTimeMilliseconds(now.ToUnixTimeMilliseconds());
        byte[] statement = Statement(predecessor.PublicKeyInfo, successor.PublicKeyInfo, sequence, signedAt);
        return new(predecessor.PublicKeyInfo, successor.PublicKeyInfo, sequence, signedAt, predecessor.Sign(statement), successor.Sign(statement));
    }

    /// <summary>What both keys sign; docs/protocol.md describes it.</summary>
    private static byte[] Statement(ReadOnlySpan<byte> predecessor, ReadOnlySpan<byte> successor, long sequence, DateTimeOffset signedAt)
    {
        byte[] statement = new byte[Context.Length + sizeof(uint) + predecessor.Length + sizeof(uint) + successor.Length + sizeof(long) + sizeof(long)];
        Span<byte> rest = statement;
        Context.CopyTo(rest);
        rest = Append(Append(rest[Context.Length..], predecessor), successor);
        BinaryPrimitives.WriteInt64BigEndian(rest, sequence);
        BinaryPrimitives.WriteInt64BigEndian(rest[sizeof(long)..], signedAt.ToUnixTimeMilliseconds());
        return statement;
    }

    private static Span<byte> Append(Span<byte> rest, ReadOnlySpan<byte> key)
    {
        BinaryPrimitives.WriteUInt32BigEndian(rest, (uint)key.Length);
        key.CopyTo(rest[sizeof(uint)..]);
        return rest[(sizeof(uint) + key.Length)..];
    }
}
