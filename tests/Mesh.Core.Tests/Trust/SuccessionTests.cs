using EventMesh.Core.Tests.Journal;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Projections;
using EventMesh.Trust;
using EventMesh.Trust.Internal;
using EventMesh.Wire;
using Shouldly;
using Xunit;

namespace EventMesh.Core.Tests.Trust;

/// <summary>Changes of keys: the statements, the fold and the verdict.</summary>
public sealed class SuccessionTests : IDisposable
{
    private static readonly DateTimeOffset Now = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);

    private readonly IdentityKey[] _keys = [.. Enumerable.Range(0, 4).Select(_ => IdentityKey.Create())];

    private PeerId A => Id(0);

    private PeerId B => Id(1);

    private PeerId C => Id(2);

    private PeerId D => Id(3);

    public void Dispose()
    {
        foreach (IdentityKey key in _keys) key.Dispose();
    }

    [Fact]
    public void A_statement_is_true_only_as_both_keys_signed_it()
    {
        KeySuccession true1 = Sign(0, 1);
        byte[] a = true1.PredecessorKey.ToArray(), b = true1.SuccessorKey.ToArray(), byA = true1.PredecessorSignature.ToArray(), byB = true1.SuccessorSignature.ToArray();

        true1.IsValid().ShouldBeTrue();
        new KeySuccession(a, b, 2, true1.SignedAt, byA, byB).IsValid().ShouldBeFalse("another number");
        new KeySuccession(a, b, 1, true1.SignedAt.AddMilliseconds(1), byA, byB).IsValid().ShouldBeFalse("another time");
        new KeySuccession(b, a, 1, true1.SignedAt, byB, byA).IsValid().ShouldBeFalse("the other way round");
        new KeySuccession(a, b, 1, true1.SignedAt, byB, byB).IsValid().ShouldBeFalse("only the new key signed");
        new KeySuccession(a, b, 1, true1.SignedAt, byA, byA).IsValid().ShouldBeFalse("only the old key signed");
        new KeySuccession(a, _keys[2].PublicKeyInfo, 1, true1.SignedAt, byA, byB).IsValid().ShouldBeFalse("another key");
        new KeySuccession(a, a, 1, true1.SignedAt, byA, byA).IsValid().ShouldBeFalse("itself");
        new KeySuccession([1, 2, 3], b, 1, true1.SignedAt, byA, byB).IsValid().ShouldBeFalse("no key");
    }

    [Fact]
    public void Statements_survive_the_wire_and_the_file()
    {
        KeySuccession[] chain = [Sign(0, 1), Sign(1, 2, 2)];

        IReadOnlyList<KeySuccession> read = KeySuccessionCodec.FromPem(KeySuccessionCodec.ToPem(chain));

        read.Select(s => (s.Predecessor, s.Successor, s.Sequence, s.SignedAt)).ShouldBe(chain.Select(s => (s.Predecessor, s.Successor, s.Sequence, s.SignedAt)));
        read.ShouldAllBe(s => s.IsValid());
        EventMesh.Wire.Frames.KeySuccession frame = KeySuccessionCodec.ToFrame(chain[0]);
        frame.Sequence = 0;
        KeySuccessionCodec.FromFrame(frame).ShouldBeNull();
        frame = KeySuccessionCodec.ToFrame(chain[0]);
        frame.Time = long.MaxValue;
        KeySuccessionCodec.FromFrame(frame).ShouldBeNull();
        frame = KeySuccessionCodec.ToFrame(chain[0]);
        frame.Predecessor = Google.Protobuf.ByteString.CopyFrom(new byte[WireLimits.PublicKey + 1]);
        KeySuccessionCodec.FromFrame(frame).ShouldBeNull();
    }

    [Fact]
    public void Statements_have_to_lead_to_the_peers_key_without_a_gap()
    {
        KeySuccession ab = Sign(0, 1), bc = Sign(1, 2, 2), cd = Sign(2, 3, 3);

        WhyFalse(B, ab).ShouldBeNull();
        WhyFalse(D, ab, bc, cd).ShouldBeNull();
        WhyFalse(D).ShouldBeNull("a peer that never changed its key");
        WhyFalse(D, ab, cd)!.ShouldContain("no chain");
        WhyFalse(C, ab, Sign(1, 2, 1))!.ShouldContain("no chain", Case.Sensitive, "the numbers rise");
        WhyFalse(A, ab)!.ShouldContain("another key");
        WhyFalse(A, ab, Sign(1, 0, 2))!.ShouldContain("circle");
        WhyFalse(B, new KeySuccession(ab.PredecessorKey, ab.SuccessorKey, 7, ab.SignedAt, ab.PredecessorSignature, ab.SuccessorSignature))!.ShouldContain("signature");
        WhyFalse(D, [.. Enumerable.Range(1, 5).Select(i => Sign(2, 3, i))])!.ShouldContain("more statements");
    }

    [Fact]
    public void Accepted_changes_make_one_peer_of_all_its_keys()
    {
        SuccessionVerdict verdict = SuccessionJudge.Judge(KeySuccessionState.Empty, C, [Sign(0, 1), Sign(1, 2, 2)]);
        KeySuccessionState state = Fold(KeySuccessionState.Empty, [.. verdict.Changes]);

        verdict.Code.ShouldBeNull();
        state.ChainOf(B).ShouldBe([A, B, C]);
        state.AreSame(A, C).ShouldBeTrue();
        state.AreSame(A, D).ShouldBeFalse();
        state.OldestOf(C).ShouldBe(A);
        state.NewestOf(A).ShouldBe(C);
        SuccessionJudge.Judge(state, C, [Sign(0, 1), Sign(1, 2, 2)]).Changes.ShouldBeEmpty("it is known");
        WhyFalse(state, C, Sign(1, 2, 2)).ShouldBeNull();
    }

    [Fact]
    public void A_replaced_key_is_refused()
    {
        KeySuccessionState state = Fold(KeySuccessionState.Empty, Link(A, B));

        SuccessionVerdict verdict = SuccessionJudge.Judge(state, A, []);

        verdict.Code.ShouldBe(WireCode.CertificateRefused);
        verdict.Reason!.ShouldContain("replaced");
    }

    [Fact]
    public void Of_two_successors_both_are_refused_until_the_operator_decides()
    {
        KeySuccessionState state = Fold(KeySuccessionState.Empty, Link(A, B));

        SuccessionVerdict second = SuccessionJudge.Judge(state, C, [Sign(0, 2)]);
        second.Code.ShouldBe(WireCode.SuccessionConflict);
        second.Changes.ShouldBe([new SuccessionDisputed(A, B, C)]);
        state = Fold(state, [.. second.Changes]);
        foreach (PeerId peer in new[] { A, B, C })
            SuccessionJudge.Judge(state, peer, []).Code.ShouldBe(WireCode.SuccessionConflict);
        SuccessionJudge.Judge(state, C, [Sign(0, 2)]).Changes.ShouldBeEmpty("one event a claimant");
        SuccessionJudge.Judge(state, D, [Sign(0, 3)]).Changes.ShouldHaveSingleItem("a third claimant is told of too");
        SuccessionJudge.Judge(state, D, [Sign(0, 1), Sign(1, 3, 2)]).Code.ShouldBe(WireCode.SuccessionConflict, "nor does a successor of a disputed one get in");

        KeySuccessionState forC = Fold(state, new SuccessionDecided(A, C, "operator"));
        SuccessionJudge.Judge(forC, C, [Sign(0, 2)]).Code.ShouldBeNull();
        forC.AreSame(A, C).ShouldBeTrue();
        SuccessionJudge.Judge(forC, B, [Sign(0, 1)]).Code.ShouldBe(WireCode.SuccessionConflict);
        SuccessionJudge.Judge(forC, B, []).Code.ShouldBe(WireCode.SuccessionConflict);
        SuccessionJudge.Judge(forC, D, [Sign(1, 3, 2)]).Code.ShouldBe(WireCode.SuccessionConflict, "what follows the false one is false");

        KeySuccessionState forB = Fold(state, new SuccessionDecided(A, B, "operator"));
        SuccessionJudge.Judge(forB, B, [Sign(0, 1)]).Code.ShouldBeNull();
        SuccessionJudge.Judge(forB, C, [Sign(0, 2)]).Code.ShouldBe(WireCode.SuccessionConflict);

        KeySuccessionState forNobody = Fold(state, new SuccessionDecided(A, null, "operator"));
        foreach (PeerId peer in new[] { B, C }) SuccessionJudge.Judge(forNobody, peer, []).Code.ShouldBe(WireCode.SuccessionConflict);
        SuccessionJudge.Judge(forNobody, A, []).Code.ShouldBeNull("it has no successor any more");

        KeySuccessionState changedMind = Fold(forB, new SuccessionDecided(A, C, "operator"));
        SuccessionJudge.Judge(changedMind, C, [Sign(0, 2)]).Code.ShouldBeNull();
        SuccessionJudge.Judge(changedMind, B, []).Code.ShouldBe(WireCode.SuccessionConflict);
    }

    [Fact]
    public void Two_peers_can_not_become_one_and_no_peer_follows_itself()
    {
        KeySuccessionState state = Fold(KeySuccessionState.Empty, Link(A, C));

        SuccessionJudge.Judge(state, C, [Sign(1, 2)]).Code.ShouldBe(WireCode.SuccessionConflict);
        SuccessionJudge.Judge(state, A, [Sign(2, 0, 2)]).Code.ShouldBe(WireCode.SuccessionConflict);
        Fold(state, Link(B, C)).ShouldBe(state, "the fold keeps its rules whatever the log says");
        Fold(state, Link(C, A)).ShouldBe(state);
    }

    [Fact]
    public void What_is_remembered_is_bounded_and_without_room_the_present_key_is_judged_alone()
    {
        KeySuccessionState state = KeySuccessionState.Empty;
        for (int i = 0; i < KeySuccessionState.MaxLinks + 10; i++)
            state = Fold(state, Link(EventSamples.Peer((2 * i) + 1), EventSamples.Peer((2 * i) + 2)));

        state.Successors.Count.ShouldBe(KeySuccessionState.MaxLinks);
        SuccessionVerdict verdict = SuccessionJudge.Judge(state, B, [Sign(0, 1)]);
        verdict.Code.ShouldBeNull();
        verdict.Changes.ShouldBeEmpty();
    }

    private static KeySucceeded Link(PeerId from, PeerId to) => new(from, to, 1, Now);

    private static KeySuccessionState Fold(KeySuccessionState state, params IMeshEvent[] events) =>
        events.Aggregate(state, (current, data) => KeySuccessionState.Apply(current, new RecordedEvent(Guid.CreateVersion7(), 1, 1, Now, data, null)));

    private static string? WhyFalse(PeerId peer, params KeySuccession[] statements) => WhyFalse(KeySuccessionState.Empty, peer, statements);

    private static string? WhyFalse(KeySuccessionState state, PeerId peer, params KeySuccession[] statements) => SuccessionJudge.WhyFalse(state, peer, statements);

    private PeerId Id(int key) => PeerId.FromPublicKey(_keys[key].PublicKeyInfo);

    private KeySuccession Sign(int from, int to, long sequence = 1) => KeySuccession.Sign(_keys[from], _keys[to], sequence, Now);
}
