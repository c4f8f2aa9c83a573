using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Marten.Store.Internal;
using EventMesh.Projections;
using Npgsql;

namespace EventMesh.Marten.Projections.Internal;

/// <summary>Every decision on trust, one row each, and when it was in force.</summary>
internal sealed class TrustLedgerProjection(string schema, NpgsqlDataSource? source, LogReader? reader)
    : IntervalProjection<(TrustLedgerKind Kind, string Subject), TrustLedgerEntry>(
        "trust_ledger", schema, source, reader,
        typeof(PeerPinned), typeof(PeerUnpinned), typeof(PeerTrusted), typeof(PeerBlocked), typeof(PrefixBlocked), typeof(Unblocked),
        typeof(CertificateRevoked), typeof(KeySucceeded), typeof(SuccessionDisputed), typeof(SuccessionDecided))
{
    /// <summary>How a decision is said to have ended that did so by itself.</summary>
    private const string Expiry = "expiry";

    protected override IReadOnlyList<(string Name, string Type)> Columns { get; } =
    [
        ("kind", "text not null"), ("subject", "text not null"), ("peer", "text"), ("reason", "text"), ("decided_by", "text"),
        ("decided_at", "timestamptz not null"), ("until", "timestamptz"),
    ];

    protected override bool IndexesPresent => true;

    protected override IReadOnlyList<string> EndColumns { get; } = ["ended", "ended_by"];

    protected override string HistoryView => Name;

    protected override string PresentView => "trust_in_force";

    public override string CreateIndexes(int generation) => base.CreateIndexes(generation) +
        $"""
        create unique index if not exists {Name}_{generation}_place on {Table(generation)} (node_id, from_seq);

        """;

    // What ends by itself ends without an event, so that the views look at the clock.
    public override string CreateViews(int generation) =>
        $"""
        create or replace view {Schema}.{HistoryView} as
            select node_id, {ColumnNames}, valid, from_seq,
                case when ended is not null then coalesce(upper(valid), decided_at) when until <= now() then greatest(until, decided_at) end as ended_at,
                coalesce(ended, case when until <= now() then '{Expiry}' end) as ended,
                ended_by,
                case when ended <> '{Expiry}' then to_seq end as ended_seq
            from {Table(generation)};
        create or replace view {Schema}.{PresentView} as
            select node_id, {ColumnNames}, from_seq from {Table(generation)} where to_seq is null and (until is null or until > now());

        """;

    protected override IEnumerable<(TrustLedgerKind Kind, string Subject)> KeysOf(IMeshEvent data) => TrustLedgerEntry.ConcernedBy(data);

    protected override string KeyText((TrustLedgerKind Kind, string Subject) key) => $"{Texts.Write(key.Kind)} {Texts.Write(key.Subject)}";

    protected override (TrustLedgerKind Kind, string Subject) KeyOf(TrustLedgerEntry entry) => (entry.Kind, entry.Subject);

    protected override TrustLedgerEntry? Fold((TrustLedgerKind Kind, string Subject) key, TrustLedgerEntry? before, RecordedEvent recorded) =>
        TrustLedgerEntry.Apply(key.Kind, key.Subject, before, recorded);

    protected override bool IsMomentary(TrustLedgerEntry entry) => entry.IsAct;

    // As PostgreSQL keeps it: the same from the event and from the table.
    protected override DateTimeOffset? EndsAt(TrustLedgerEntry entry) =>
        entry.Until is { } until ? until.AddTicks(-(until.Ticks % TimeSpan.TicksPerMicrosecond)) : null;

    protected override string?[] WriteEnd(TrustLedgerEntry entry, RecordedEvent end)
    {
        if (entry.IsAct)
            return [null, null];
        if (EndsAt(entry) <= end.Time)
            return [Expiry, null];
        // Its own decision is the first that an event concerns.
        string kind = Texts.Write(TrustLedgerEntry.ConcernedBy(end.Data)[0].Kind);
        return [kind, AuthorOf(end.Data)];
    }

    protected override object?[] Write(TrustLedgerEntry entry) =>
    [
        Texts.Write(entry.Kind), Texts.Write(entry.Subject), entry.Peer?.ToString(), Optional(entry.Reason), Optional(entry.By), entry.At.ToUniversalTime(),
        EndsAt(entry)?.ToUniversalTime(),
    ];

    protected override TrustLedgerEntry Read(NpgsqlDataReader reader, int ordinal) => new(
        Texts.Read<TrustLedgerKind>(reader, ordinal), reader.GetString(ordinal + 1),
        Texts.ReadOptional(reader, ordinal + 2) is { } peer ? PeerId.Parse(peer) : null, Texts.ReadOptional(reader, ordinal + 3),
        Texts.ReadOptional(reader, ordinal + 4), reader.GetFieldValue<DateTimeOffset>(ordinal + 5),
        reader.IsDBNull(ordinal + 6) ? null : reader.GetFieldValue<DateTimeOffset>(ordinal + 6));

    private static string? Optional(string? text) => text is null ? null : Texts.Write(text);

    private static string? AuthorOf(IMeshEvent data) => Optional(data switch
    {
        PeerPinned e => e.By,
        PeerUnpinned e => e.By,
        PeerTrusted e => e.By,
        PeerBlocked e => e.By,
        PrefixBlocked e => e.By,
        Unblocked e => e.By,
        CertificateRevoked e => e.By,
        SuccessionDecided e => e.By,
        _ => null,
    });
}
