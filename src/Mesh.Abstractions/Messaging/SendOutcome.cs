namespace EventMesh.Messaging;

/// <summary>How a send ended. Nothing is sent again by itself.</summary>
public enum SendOutcome
{
    /// <summary>Arrived at the peer's transport.</summary>
    Acknowledged,

    /// <summary>Handled by the peer's handlers.</summary>
    Handled,

    /// <summary>It did not leave this node.</summary>
    NotSent,

    /// <summary>The peer refused it; <see cref="SendReceipt.Error"/> says why.</summary>
    Refused,

    /// <summary>The connection was lost in between: it may have arrived.</summary>
    Unknown,
}
