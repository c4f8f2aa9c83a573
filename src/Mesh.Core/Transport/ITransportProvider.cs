namespace EventMesh.Transport;

/// <summary>Makes a transport where its native library is present. Registered with <c>TryAddEnumerable</c>.</summary>
public interface ITransportProvider
{
    /// <summary>The name of the transport that it makes.</summary>
    string Name { get; }

    /// <summary>The order in which <c>auto</c> tries: lower first.</summary>
    int Order { get; }

    /// <summary>Whether it can work here and why; never throws.</summary>
    TransportSupport Probe();

    /// <summary>Makes the transport.</summary>
    /// <exception cref="MeshException"><see cref="MeshError.TransportUnavailable"/>: it can't work here.</exception>
    ITransport Create();
}
