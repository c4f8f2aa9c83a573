using EventMesh.Journal.Internal;

namespace EventMesh.Marten.Audit.Internal;

/// <summary>
/// Follows the chain row by row. Where a row's link is not what its content gives, the next row tells which of the two was changed: it was linked to the
/// one that was recorded.
/// </summary>
internal sealed class ChainWalk(long? chainedFrom, AuditFindings findings)
{
    private const int Remembered = 16;

    // Null behind a hole: the next link can only be taken as it is.
    private byte[]? _previous = EventChain.Start.ToArray();
    private (AuditRow Row, byte[] Expected)? _doubtful;

    // The links of the last rows: of rows that changed places the next one is linked to one further back.
    private readonly Queue<byte[]> _recent = new();

    /// <param name="row">The row.</param>
    /// <param name="followsHole">Whether no row has the place before.</param>
    /// <param name="before">The link at the place before, where another tells it than its row.</param>
    /// <param name="digest">The digest that the chain has of the row.</param>
    public void Step(AuditRow row, bool followsHole, byte[]? before, byte[] digest)
    {
        if (chainedFrom is not { } first || row.Place < first)
        {
            if (row.Link is not null)
                findings.Add(
                    AuditProblem.BrokenLink, row.Place, chainedFrom is null ? "the event has a link, but the store notes no chain" : $"the event has a link, but the chain begins at {chainedFrom}");
            return;
        }
        if (followsHole)
        {
            Settle(null);
            _previous = row.Place == first ? EventChain.Start.ToArray() : before;
        }
        if (row.Link is not { Length: EventChain.Size } link)
        {
            Settle(null);
            findings.Add(AuditProblem.BrokenLink, row.Place, "the event has no link");
            // It goes on with the link that it must have had.
            _previous = _previous is null ? null : EventChain.Link(_previous, digest);
            return;
        }
        bool isMoved = false;
        if (_doubtful is { } doubtful)
        {
            isMoved = _recent.Any(earlier => link.AsSpan().SequenceEqual(EventChain.Link(earlier, digest)));
            byte[]? fitting = link.AsSpan().SequenceEqual(EventChain.Link(doubtful.Row.Link, digest)) ? doubtful.Row.Link
                : link.AsSpan().SequenceEqual(EventChain.Link(doubtful.Expected, digest)) ? doubtful.Expected : null;
            Settle(fitting);
        }
        byte[]? expected = _previous is null ? null : EventChain.Link(_previous, digest);
        if (expected is not null && !isMoved && !expected.AsSpan().SequenceEqual(link))
            _doubtful = (row, expected);
        _previous = link;
        _recent.Enqueue(link);
        if (_recent.Count > Remembered)
            _recent.Dequeue();
    }

    /// <summary>The end of the walk.</summary>
    /// <param name="head">The link that the store notes as the last.</param>
    /// <returns>The last link, as the rows have it.</returns>
    public byte[]? End(byte[]? head)
    {
        Settle(head);
        return _previous;
    }

    /// <summary>Says what was changed of a row whose content and link do not fit.</summary>
    /// <param name="linked">The link that what follows builds on, where it fits one of the two.</param>
    private void Settle(byte[]? linked)
    {
        if (_doubtful is not { } doubtful)
            return;
        _doubtful = null;
        if (linked is not null && linked.AsSpan().SequenceEqual(doubtful.Expected))
        {
            findings.Add(AuditProblem.BrokenLink, doubtful.Row.Place, "the link was changed; the event is as it was recorded");
            _previous = doubtful.Expected;
            return;
        }
        findings.Add(AuditProblem.Changed, doubtful.Row.Place, $"'{doubtful.Row.Type}' {doubtful.Row.Id} is not what was recorded there");
    }
}
