using EventMesh.Identity;

namespace EventMesh.Messaging;

/// <summary>The identity of a message, the same at both ends.</summary>
/// <param name="Sender">Who sent it.</param>
/// <param name="Instance">The sender's process start.</param>
/// <param name="Sequence">Its number in that process, from 1.</param>
public readonly record struct MessageId(PeerId Sender, Guid Instance, ulong Sequence)
{
    /// <summary>For people and traces: short sender, instance and number.</summary>
    public override string ToString() => $"{Sender.ToShortString()}-{Instance:N}-{Sequence}";
}
