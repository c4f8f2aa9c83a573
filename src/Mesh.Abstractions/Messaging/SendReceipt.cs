namespace EventMesh.Messaging;

/// <summary>The end of a send.</summary>
/// <param name="Id">The message's identity.</param>
/// <param name="Outcome">How it ended.</param>
/// <param name="Error">Why it was not sent or was refused; null otherwise.</param>
/// <param name="Token">The sender's token, as it was given.</param>
public readonly record struct SendReceipt(MessageId Id, SendOutcome Outcome, MeshError? Error, object? Token)
{
    /// <summary>Whether the message arrived.</summary>
    public bool IsSent => Outcome is SendOutcome.Acknowledged or SendOutcome.Handled;
}
