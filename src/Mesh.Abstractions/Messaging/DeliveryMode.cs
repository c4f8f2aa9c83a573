namespace EventMesh.Messaging;

/// <summary>What a send waits for.</summary>
public enum DeliveryMode
{
    /// <summary>The peer's transport acknowledged the whole message: it arrived, it may not have been read.</summary>
    Acknowledged,

    /// <summary>All handlers that the peer subscribed to the channel have returned.</summary>
    Handled,
}
