namespace EventMesh.Wire;

/// <summary>The lengths that every decoder checks before it allocates.</summary>
internal static class WireLimits
{
    /// <summary>A control frame's body: 16 KiB.</summary>
    public const int ControlFrame = 16 * 1024;

    /// <summary>Messages up to this length share streams; longer ones have one each: 256 KiB.</summary>
    public const int LargeMessage = 256 * 1024;

    /// <summary>The frames that share one stream: 64 KiB.</summary>
    public const int Batch = 64 * 1024;

    /// <summary>A streamed message: 1 GiB.</summary>
    public const long StreamedMessage = 1L << 30;

    /// <summary>What a large message may be ahead of what its receiver has granted: 1 MiB.</summary>
    public const int UngrantedBytes = 1024 * 1024;

    /// <summary>Ordered channels of one peer in one direction.</summary>
    public const int OrderedChannels = 16;

    /// <summary>A message's header: 1 KiB.</summary>
    public const int MessageHeader = 1024;

    /// <summary>Mesh name, bytes of UTF-8.</summary>
    public const int MeshName = 64;

    /// <summary>Agent, bytes of UTF-8.</summary>
    public const int Agent = 64;

    /// <summary>DNS name, bytes.</summary>
    public const int DnsName = 253;

    /// <summary>Channel, bytes of UTF-8.</summary>
    public const int Channel = 128;

    /// <summary>Endpoints in a Hello.</summary>
    public const int ListenEndpoints = 8;

    /// <summary>Peers in one answer of peer exchange.</summary>
    public const int Peers = 32;

    /// <summary>Endpoints of one exchanged peer.</summary>
    public const int PeerEndpoints = 4;

    /// <summary>Changes of its key that a peer tells of.</summary>
    public const int Successions = 4;

    /// <summary>A public key: RSA of 8,192 bits, bytes.</summary>
    public const int PublicKey = 1200;

    /// <summary>A signature, bytes.</summary>
    public const int Signature = 1024;

    /// <summary>Bodies of one connection that are collected at a time, those above <see cref="LargeMessage"/> apart: 16 MiB.</summary>
    public const int Collected = 16 * 1024 * 1024;
}
