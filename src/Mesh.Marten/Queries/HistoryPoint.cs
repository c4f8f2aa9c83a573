namespace EventMesh.Marten.Queries;

/// <summary>What an answer from history stands on.</summary>
/// <param name="Seq">The last place in the node's log at the time that was asked for; the end of the log when none was. 0 before the first event.</param>
/// <param name="FoldedSeq">The place that the answer is as of: <paramref name="Seq"/>, or less when the projection has not come so far yet.</param>
/// <param name="Time">The time of the event at <paramref name="FoldedSeq"/>; null when it is 0.</param>
/// <param name="LogSeq">The end of the stored log: while it is <paramref name="Seq"/>, events that are not stored yet may belong to the answer.</param>
public sealed record HistoryPoint(long Seq, long FoldedSeq, DateTimeOffset? Time, long LogSeq)
{
    /// <value>Whether the projection had folded everything up to the time that was asked for.</value>
    public bool IsComplete => FoldedSeq >= Seq;
}
