namespace EventMesh.Transport.Ngtcp2.Interop;

/// <summary>The arguments that both kinds of connection are made of; the pointers are used during the call only.</summary>
internal unsafe ref struct ConnectionParameters
{
    public ngtcp2_cid* DestinationId;
    public ngtcp2_cid* SourceId;
    public ngtcp2_path* Path;
    public uint Version;
    public ngtcp2_callbacks* Callbacks;
    public ngtcp2_settings* Settings;
    public ngtcp2_transport_params* TransportParameters;
}

/// <summary>What an endpoint's TLS sessions have in common.</summary>
internal sealed unsafe class TlsParameters(CredentialsHandle credentials, PriorityHandle priority, ReadOnlyMemory<byte> protocol, void* verifyFunction) : IDisposable
{
    public CredentialsHandle Credentials { get; } = credentials;

    public PriorityHandle Priority { get; } = priority;

    /// <summary>The application protocol; empty sends none.</summary>
    public ReadOnlyMemory<byte> Protocol { get; } = protocol;

    public void* VerifyFunction { get; } = verifyFunction;

    public void Dispose()
    {
        Credentials.Dispose();
        Priority.Dispose();
    }
}
