using System.Net;
using EventMesh.Conformance;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Marten.Tests.Fixture;
using EventMesh.Projections;
using Shouldly;
using Xunit;

namespace EventMesh.Marten.Tests.Projections;

/// <summary>The ledger of trust as rows: every decision, and when it was in force.</summary>
public sealed class TrustLedgerTests(PostgresFixture postgres) : ProjectionTestBase(postgres)
{
    private static readonly PeerId Alice = EventStoreSamples.Peer(1);
    private static readonly PeerId Bob = EventStoreSamples.Peer(2);
    private static readonly IPNetwork Prefix = IPNetwork.Parse("192.0.2.0/24");

    [Fact]
    public async Task Every_decision_is_a_row_that_says_who_why_until_when_and_what_ended_it()
    {
        DateTimeOffset far = EventStoreSamples.Start.AddYears(100);
        await AppendAsync(
            Node,
            new PeerPinned("a:1", Alice, PinOrigin.FirstUse, TrustAuthor.FirstUse), new PeerTrusted(Alice, "friend", "root"),
            new PeerBlocked(Alice, "it floods", far, "ann"), new Unblocked(Alice, null, "sorry", "root"),
            new PrefixBlocked(Prefix, "net", null, TrustAuthor.Limits), new PeerUnpinned("a:1", Alice, "moved", "root"),
            new CertificateRevoked(null, new string('a', 64), "stolen", "root"), new KeySucceeded(Alice, Bob, 1, far),
            new SuccessionDisputed(Alice, Bob, EventStoreSamples.Peer(3)), new SuccessionDecided(Alice, null, "root"));
        await WaitAsync(Node);

        (await QueryAsync("select from_seq, kind, subject, peer, decided_by, reason, until is null, ended, ended_by, ended_seq, isempty(valid) from {schema}.trust_ledger order by 1"))
            .ShouldBe(
            [
                $"2|pin|a:1|{Alice}|first-use|-|True|unpin|root|7|False", $"3|trust|{Alice}|-|root|friend|True|block|ann|4|False",
                $"4|block|{Alice}|-|ann|it floods|False|unblock|root|5|False", $"5|unblock|{Alice}|-|root|sorry|True|-|-|-|True",
                "6|prefixBlock|192.0.2.0/24|-|limits|net|True|-|-|-|False", $"7|unpin|a:1|{Alice}|root|moved|True|-|-|-|True",
                $"8|revocation|{new string('a', 64)}|-|root|stolen|True|-|-|-|False", $"9|succession|{Alice}|{Bob}|-|-|True|succession|root|11|False",
                $"10|dispute|{Alice}|{EventStoreSamples.Peer(3)}|-|-|True|succession|root|11|False", $"11|succession|{Alice}|-|root|-|True|-|-|-|False",
            ]);
        (await QueryAsync("select kind from {schema}.trust_in_force order by from_seq")).ShouldBe(["prefixBlock", "revocation", "succession"]);
        // The row that ended another has the rest of it.
        (await QueryAsync("select b.kind, e.reason from {schema}.trust_ledger b join {schema}.trust_ledger e on (e.node_id, e.from_seq) = (b.node_id, b.ended_seq) where b.kind = 'block'"))
            .ShouldBe(["block|sorry"]);
    }

    [Fact]
    public async Task A_block_that_ends_by_itself_is_in_force_until_then_and_no_longer()
    {
        DateTimeOffset past = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
        RecordedEvent[] log = At(await AppendAsync(Node), past, new PeerBlocked(Bob, "for an hour", past.AddHours(1), "root"));
        await AppendAsync(Node, log);
        await WaitAsync(Node);

        (await Store.Queries.GetTrustAsync(Node, past.AddMinutes(59), Cancellation)).ShouldHaveSingleItem().Subject.ShouldBe(Bob.ToString());
        (await Store.Queries.GetTrustAsync(Node, past.AddHours(1), Cancellation)).ShouldBeEmpty();
        (await Store.Queries.GetTrustAsync(Node, null, Cancellation)).ShouldBeEmpty();
        (await QueryAsync("select ended, ended_at = until, ended_seq from {schema}.trust_ledger")).ShouldBe(["expiry|True|-"]);

        // What comes later about the same peer finds it ended already.
        RecordedEvent[] again = At(log, past.AddHours(2), new PeerBlocked(Bob, "again", null, "root"));
        await AppendAsync(Node, again);
        await WaitAsync(Node);

        (await QueryAsync("select reason, ended, ended_by, ended_seq, upper(valid) = until from {schema}.trust_ledger order by from_seq"))
            .ShouldBe(["for an hour|expiry|-|-|True", "again|-|-|-|-"]);
        (await Store.Queries.GetTrustAsync(Node, past.AddMinutes(90), Cancellation)).ShouldBeEmpty();
        (await Store.Queries.GetTrustAsync(Node, past.AddHours(3), Cancellation)).ShouldHaveSingleItem().Reason.ShouldBe("again");
    }

    [Fact]
    public async Task A_block_whose_end_lies_before_its_decision_is_in_force_at_no_time()
    {
        await AppendAsync(Node, new PeerBlocked(Bob, "too late", EventStoreSamples.Start.AddYears(-1), "root"), new Unblocked(Bob, null, "", "root"));
        await WaitAsync(Node);

        (await QueryAsync("select isempty(valid), ended, ended_at = decided_at from {schema}.trust_ledger where kind = 'block'")).ShouldBe(["True|expiry|True"]);
    }

    [Fact]
    public async Task What_is_in_force_is_what_the_fold_says_at_each_place_live_and_rebuilt()
    {
        var random = new Random(7);
        List<RecordedEvent> log = [];
        while (log.Count < 1500)
            log.AddRange(await AppendAsync(Node, [.. Enumerable.Range(0, random.Next(1, 250)).Select(_ => RandomDecision(random))]));
        await WaitAsync(Node);

        await ShouldShowAsync(log);
        List<string> live = await QueryAsync("select t::text from {schema}.trust_ledger t order by from_seq");
        live.Count.ShouldBe(log.Count(recorded => recorded.Data is not NodeStarted));

        await Store.Queries.RebuildAsync("trust_ledger", Cancellation);

        await ShouldShowAsync(log);
        (await QueryAsync("select t::text from {schema}.trust_ledger t order by from_seq")).ShouldBe(live);
    }

    private async Task ShouldShowAsync(List<RecordedEvent> log)
    {
        TrustState state = TrustState.Empty;
        for (int i = 0; i < log.Count; i++)
        {
            state = TrustState.Apply(state, log[i]);
            if (i % 13 != 0 && i != log.Count - 1)
                continue;
            DateTimeOffset now = log[i].Time;
            IEnumerable<TrustLedgerEntry> inForce = TrustLedgerEntry.AllIn(state).Where(entry => entry.Until is null || now < entry.Until);
            (await Store.Queries.GetTrustAsync(Node, now, Cancellation)).Select(Text)
                .ShouldBe(inForce.OrderBy(entry => entry.Kind).ThenBy(entry => entry.Subject, StringComparer.Ordinal).Select(Text));
        }
    }

    private static string Text(TrustLedgerEntry entry) =>
        $"{entry.Kind} {entry.Subject} {entry.Peer} {entry.Reason} {entry.By} {entry.At.ToUniversalTime():O} {entry.Until?.ToUniversalTime():O}";

    // The samples' events are a millisecond apart, so that some blocks end before the next decision on their subject.
    private static IMeshEvent RandomDecision(Random random)
    {
        PeerId peer = EventStoreSamples.Peer(random.Next(6));
        var prefix = new IPNetwork(new IPAddress([10, (byte)random.Next(4), 0, 0]), 16);
        string contact = $"host-{random.Next(4)}:1";
        DateTimeOffset? until = random.Next(2) == 0 ? null : EventStoreSamples.Start.AddMilliseconds(random.Next(2000));
        string reason = $"reason {random.Next()}";
        return random.Next(8) switch
        {
            0 => new PeerPinned(contact, peer, (PinOrigin)random.Next(2), "root"),
            1 => new PeerUnpinned(contact, peer, reason, "root"),
            2 => new PeerTrusted(peer, reason, "ann"),
            3 => new PeerBlocked(peer, reason, until, "bob"),
            4 => new PrefixBlocked(prefix, reason, until, TrustAuthor.Limits),
            5 => new Unblocked(peer, null, reason, "root"),
            6 => new Unblocked(null, prefix, reason, "root"),
            _ => random.Next(2) == 0
                ? new CertificateRevoked(peer, null, reason, "root")
                : new CertificateRevoked(null, $"{random.Next(3):x64}", reason, "root"),
        };
    }

    private static RecordedEvent[] At(RecordedEvent[] log, DateTimeOffset time, IMeshEvent data) =>
        [.. EventStoreSamples.Record(1, log[^1].NodeSeq + 1, data).Select(recorded => recorded with { Time = time })];
}
