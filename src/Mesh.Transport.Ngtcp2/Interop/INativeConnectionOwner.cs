namespace EventMesh.Transport.Ngtcp2.Interop;

/// <summary>The managed object behind an ngtcp2 connection.</summary>
internal interface INativeConnectionOwner
{
    /// <summary>The <c>ngtcp2_conn</c>; zero once deleted.</summary>
    nint ConnectionPointer { get; }
}
