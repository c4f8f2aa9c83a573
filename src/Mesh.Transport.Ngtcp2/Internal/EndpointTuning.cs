namespace EventMesh.Transport.Ngtcp2.Internal;

/// <summary>What only tests and measurements change.</summary>
internal sealed record EndpointTuning
{
    public static EndpointTuning Default { get; } = new();

    /// <value>Whether one call may send many datagrams (UDP_SEGMENT). Defaults to true.</value>
    public bool SegmentationOffload { get; init; } = true;

    /// <value>Whether one call may receive many datagrams (UDP_GRO). Defaults to true.</value>
    public bool ReceiveOffload { get; init; } = true;

    /// <value>An identity instead of the options' certificate: forged, or none. Defaults to null.</value>
    public TlsIdentity? Identity { get; init; }

    /// <value>Whether to send no application protocol. Defaults to false.</value>
    public bool OmitProtocol { get; init; }

    /// <value>Makes each use of the segmentation offload fail as a device without it does. Defaults to false.</value>
    public bool BreakSegmentationOffload { get; init; }
}
