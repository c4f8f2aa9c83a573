using EventMesh.Events;
using EventMesh.Journal;

namespace EventMesh.Marten.Audit.Internal;

/// <summary>Checks the order of a log: places without a gap but those of dropped months, times, epochs, and the stream of each event.</summary>
internal sealed class OrderWalk(EventRegistry registry, IReadOnlyList<DroppedMonth> dropped, AuditFindings findings)
{
    private readonly string _started = registry.Get(typeof(NodeStarted)).WireName;
    private AuditRow? _before;

    public long LastPlace => _before?.Place ?? 0;

    /// <summary>Whether the row follows the one before without a hole.</summary>
    public bool Step(AuditRow row)
    {
        long expected = LastPlace + 1;
        bool follows = row.Place == expected;
        if (row.Place > expected)
            Missing(expected, row.Place - 1);
        if (row.Place < expected)
            findings.Add(AuditProblem.Inserted, row.Place, $"'{row.Type}' {row.Id} is at a place that has an event");
        if (_before is { } before && row.Time <= before.Time)
            findings.Add(AuditProblem.Misplaced, row.Place, $"'{row.Type}' of {row.Time:O} is not later than the event before it");
        if (row.Epoch < (_before?.Epoch ?? 1))
            findings.Add(AuditProblem.Misplaced, row.Place, $"the epoch falls from {_before?.Epoch ?? 1} to {row.Epoch}");
        else if (row.Epoch != (_before?.Epoch ?? 0) && row.Type != _started)
            findings.Add(AuditProblem.Misplaced, row.Place, $"epoch {row.Epoch} opens with '{row.Type}', not with '{_started}'");
        // What a newer program wrote has a stream that this one does not know.
        if (registry.TryGet(row.Type, out EventDescriptor? descriptor) && EventRegistry.StreamKey(descriptor.Family, row.Time) is var stream && stream != row.Stream)
            findings.Add(AuditProblem.Misplaced, row.Place, $"the event is in the stream '{row.Stream}', not in '{stream}'");
        _before = row;
        return follows;
    }

    /// <summary>The end of the walk, where the store says that the log ends.</summary>
    public void End(ChainEnd end)
    {
        if (LastPlace < end.Place)
            Missing(LastPlace + 1, end.Place);
        else if (_before is { } last && (last.Epoch != end.Epoch || last.Time != end.Time))
            findings.Add(AuditProblem.WrongHead, end.Place, $"the store notes epoch {end.Epoch} and {end.Time:O} for the last event, which has epoch {last.Epoch} and {last.Time:O}");
        foreach (DroppedMonth month in dropped)
            Settle(month);
    }

    /// <summary>Counts the places for the dropped months that explain them; of all others it tells.</summary>
    private void Missing(long first, long last)
    {
        foreach (DroppedMonth month in dropped)
        {
            if (first > last)
                return;
            if (month.Data.LastSeq < first || month.Data.FirstSeq > last)
                continue;
            if (month.Data.FirstSeq > first)
                Unexplained(first, month.Data.FirstSeq - 1);
            long end = Math.Min(last, month.Data.LastSeq);
            month.Missing += end - Math.Max(first, month.Data.FirstSeq) + 1;
            first = end + 1;
        }
        if (first <= last)
            Unexplained(first, last);
    }

    private void Unexplained(long first, long last) => findings.Add(
        AuditProblem.Removed, first, first == last ? "no event has this place" : $"no event has the places {first} to {last}");

    // Which of the places was not the month's can't be told: it is how many that gives it away.
    private void Settle(DroppedMonth month)
    {
        SegmentDropped data = month.Data;
        string name = $"{data.Family.ToString().ToLowerInvariant()}/{data.Month}, dropped by the event at place {month.Place}";
        if (month.Missing > data.Count)
            findings.Add(
                AuditProblem.Removed, data.FirstSeq,
                $"{month.Missing} places from {data.FirstSeq} to {data.LastSeq} have no event; {data.Count} of them were of {name}");
        else if (month.Missing < data.Count)
            findings.Add(
                AuditProblem.Inserted, data.FirstSeq,
                $"{month.Missing} places from {data.FirstSeq} to {data.LastSeq} have no event; {data.Count} were of {name}: {data.Count - month.Missing} rows stand where it was");
    }
}
