namespace EventMesh.Messaging;

/// <summary>
/// How a message fares among others that wait for the same peer: of 13 that leave, 8 are high, 4 normal and 1 low, as far as there are such.
/// Within a class the order of the sends is kept.
/// </summary>
public enum MessagePriority
{
    /// <summary>Weight 4, the default.</summary>
    Normal,

    /// <summary>Weight 8.</summary>
    High,

    /// <summary>Weight 1.</summary>
    Low,
}
