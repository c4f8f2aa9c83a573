namespace EventMesh.Transport;

/// <summary>The direction of a stream.</summary>
public enum StreamDirection
{
    /// <summary>From the side that opened it to the other.</summary>
    Unidirectional,

    /// <summary>Both ways.</summary>
    Bidirectional,
}
