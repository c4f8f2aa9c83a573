using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EventMesh.Identity;
using EventMesh.Journal;

namespace EventMesh.Trust.Internal;

/// <summary>Signatures of a node's key over heads of its log.</summary>
internal static class LogSeal
{
    private static ReadOnlySpan<byte> Label => "eventmesh-log-seal-v1"u8;

    /// <summary>Signs a head: ECDSA in DER with the hash of the key's size, RSA-PSS with SHA-256.</summary>
    public static SignedHead Sign(NodeIdentity identity, LogHead head)
    {
        byte[] message = Message(identity.Node, head.Place, head.Hash);
        using ECDsa? ecdsa = identity.Certificate.GetECDsaPrivateKey();
        using RSA? rsa = identity.Certificate.GetRSAPrivateKey();
        byte[] signature = IdentityKey.Sign((AsymmetricAlgorithm?)ecdsa ?? rsa!, message);
        return new SignedHead(identity.Node, head.Place, head.Hash, identity.Certificate.PublicKey.ExportSubjectPublicKeyInfo(), signature);
    }

    /// <summary>Whether the signature is that of the key in it. Whose key that is the caller has to know.</summary>
    public static bool Verify(SignedHead head) => IdentityKey.Verify(head.PublicKey, Message(head.Node, head.Place, head.Hash), head.Signature);

    /// <summary>What is signed: the label, the node (16 bytes), the place (8 bytes, big-endian) and the link.</summary>
    public static byte[] Message(NodeId node, long place, ReadOnlySpan<byte> hash)
    {
        var message = new byte[Label.Length + 16 + 8 + hash.Length];
        Label.CopyTo(message);
        node.Value.TryWriteBytes(message.AsSpan(Label.Length), bigEndian: true, out _);
        BinaryPrimitives.WriteInt64BigEndian(message.AsSpan(Label.Length + 16), place);
        hash.CopyTo(message.AsSpan(Label.Length + 24));
        return message;
    }
}
