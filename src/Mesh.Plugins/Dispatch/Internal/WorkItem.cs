using System.Diagnostics;
using EventMesh.Identity;

namespace EventMesh.Plugins.Dispatch.Internal;

/// <summary>Something that one plugin has to handle.</summary>
/// <param name="Kind">The type of it, for events: <c>MessageReceived</c>.</param>
/// <param name="Handle">Runs the plugin's handlers.</param>
/// <param name="Parent">The trace it belongs to; default for none.</param>
internal sealed record WorkItem(string Kind, Func<WorkItem, CancellationToken, Task> Handle, ActivityContext Parent)
{
    /// <summary>Its channel, or the notification's type.</summary>
    public required string Subject { get; init; }

    /// <summary>The matching pattern of its channel for metrics, or the notification's type.</summary>
    public required string Destination { get; init; }

    /// <summary>The message's identity, if it is one, formatted when somebody looks.</summary>
    public Messaging.MessageId? MessageId { get; init; }

    /// <summary>The peer that sent it; null for what the node itself tells.</summary>
    public PeerId? From { get; init; }

    /// <summary>Its weight in the queue, in bytes.</summary>
    public int Bytes { get; init; }

    /// <summary>When nobody is interested any more; null for never.</summary>
    public DateTimeOffset? Deadline { get; init; }

    /// <summary>How far the handler has come, where its time limit starts anew with each progress.</summary>
    public Func<long>? Progress { get; init; }

    /// <summary>Completed with the outcome; null for a notification, whose publisher does not wait.</summary>
    public TaskCompletionSource<MeshError?>? Completion { get; init; }

    /// <summary>
    /// Whether it is news of the node itself: its failure is tried again once, because nobody else would, and it may be dropped for newer ones.
    /// </summary>
    public bool IsNotification { get; init; }

    /// <summary>The handlers that failed, by their place in the order of registration: only they run again. Null for all.</summary>
    public IReadOnlySet<int>? Failed { get; set; }
}
