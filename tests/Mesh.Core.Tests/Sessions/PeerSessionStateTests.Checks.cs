using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Sessions.Internal;
using EventMesh.Wire;
using Shouldly;
using Xunit;

namespace EventMesh.Core.Tests.Sessions;

/// <summary>How a joined peer changes between client and node.</summary>
public sealed partial class PeerSessionStateTests
{
    private static readonly Guid Third = Guid.NewGuid();
    private static readonly Guid Later = Guid.NewGuid();

    [Fact]
    public void A_node_that_is_used_as_a_client_asks_for_another_check()
    {
        (PeerSessionState state, IReadOnlyList<SessionAction> actions) = UsedAsClient().Step(new SessionInput.CheckDue(Later, EvenIfPaired: false));

        state.Phase.ShouldBe(SessionPhase.Joined);
        state.Check.ShouldBe(Later);
        actions.ShouldBe([new SessionAction.SendKindChanged(First, PeerKind.Node, Later), new SessionAction.AwaitReverseConnection(Later)]);
    }

    [Fact]
    public void A_complete_pair_asks_for_another_check_only_when_the_peer_wants_it()
    {
        JoinedPair().Step(new SessionInput.CheckDue(Later, EvenIfPaired: false)).Actions.ShouldBeEmpty();
        JoinedPair().Step(new SessionInput.CheckDue(Later, EvenIfPaired: true)).Actions
            .ShouldContain(new SessionAction.SendKindChanged(First, PeerKind.Node, Later));
    }

    [Fact]
    public void A_client_never_asks_for_a_check()
    {
        PeerSessionState client = Dialling(PeerKind.Client).Step(Hello(First)).State;

        client.Step(new SessionInput.CheckDue(Later, EvenIfPaired: true)).Actions.ShouldBeEmpty();
    }

    [Fact]
    public void A_client_link_becomes_a_pair_when_the_check_reaches_it_and_each_side_sends_on_its_own()
    {
        PeerSessionState asked = UsedAsClient().Step(new SessionInput.CheckDue(Later, EvenIfPaired: false)).State;
        (PeerSessionState check, IReadOnlyList<SessionAction> checking) = PeerAsClient().Step(KindChanged(PeerKind.Node));
        (PeerSessionState dialled, IReadOnlyList<SessionAction> hello) = check.Step(new SessionInput.Dialled(Third, Later, IsReverse: true));
        (PeerSessionState reached, IReadOnlyList<SessionAction> answer) = asked.Step(ReverseHello(Third, Later));
        (PeerSessionState checkers, IReadOnlyList<SessionAction> upgrade) = dialled.Step(ReverseHello(Third, Later));
        (PeerSessionState checkeds, IReadOnlyList<SessionAction> stands) = reached.Step(new SessionInput.AcceptReceived(Third));

        checking.ShouldBe([new SessionAction.StartReverseCheck(First, Later)]);
        hello.ShouldBe([new SessionAction.SendHello(Third, Later, IsReverse: true)]);
        answer.ShouldBe([new SessionAction.SendHelloAndAccept(Third, Later, IsReverse: true)]);
        upgrade.ShouldBe([
            new SessionAction.SendAccept(Third), new SessionAction.RecordOpened(Third), new SessionAction.RecordReverseConfirmed(Third),
            new SessionAction.Move(Third, PeerKind.Node)]);
        stands.ShouldBe([
            new SessionAction.RecordOpened(Third), new SessionAction.NoteReachability(IsReachable: true), new SessionAction.Move(First, PeerKind.Node)]);
        checkers.Reverse!.Connection.ShouldBe(Third);
        checkeds.Reverse!.Connection.ShouldBe(Third);
    }

    [Fact]
    public void A_link_that_was_used_is_refused_the_second_time_even_though_its_connection_broke()
    {
        PeerSessionState reached = Awaiting().Step(Hello(Second, isReverse: true)).State;
        PeerSessionState broken = reached.Step(new SessionInput.ConnectionEnded(Second, CloseReason.Lost)).State;

        broken.Step(Hello(Third, isReverse: true)).Actions.ShouldBe([new SessionAction.Refuse(Third, WireCode.LinkUnknown)]);
    }

    [Fact]
    public void A_check_that_comes_too_soon_is_declined_and_changes_nothing()
    {
        (PeerSessionState same, IReadOnlyList<SessionAction> decline) = PeerAsClient().Step(KindChanged(PeerKind.Node, mayCheck: false));
        PeerSessionState asked = UsedAsClient().Step(new SessionInput.CheckDue(Later, EvenIfPaired: false)).State;
        (PeerSessionState declined, IReadOnlyList<SessionAction> actions) = asked.Step(new SessionInput.ReverseCheckReported(First, WasMade: false));

        decline.ShouldBe([new SessionAction.DeclineCheck(First)]);
        same.Check.ShouldBe(Guid.Empty);
        actions.ShouldBe([new SessionAction.AskLater(First)]);
        declined.Phase.ShouldBe(SessionPhase.Joined);
    }

    [Fact]
    public void A_pair_whose_later_check_fails_goes_on_as_a_client_link()
    {
        PeerSessionState checking = CheckedPair().Step(KindChanged(PeerKind.Node)).State;
        (PeerSessionState downgraded, IReadOnlyList<SessionAction> checkers) =
            checking.Step(new SessionInput.ReverseDialFailed(MeshError.Unreachable, Later));
        PeerSessionState asked = JoinedPair().Step(new SessionInput.CheckDue(Later, EvenIfPaired: true)).State;
        (PeerSessionState told, IReadOnlyList<SessionAction> checkeds) = asked.Step(new SessionInput.ReverseCheckReported(First));

        downgraded.Phase.ShouldBe(SessionPhase.Joined);
        downgraded.Reverse.ShouldBeNull();
        checkers.ShouldBe([
            new SessionAction.Close(Second, WireCode.ReverseCheckFailed), new SessionAction.RecordClosed(Second, CloseReason.ReverseCheckFailed),
            new SessionAction.ReportReverseFailed(First, MeshError.Unreachable), new SessionAction.Move(First, PeerKind.Client)]);
        told.Reverse.ShouldBeNull();
        checkeds.ShouldBe([
            new SessionAction.Close(Second, WireCode.ReverseCheckFailed), new SessionAction.RecordClosed(Second, CloseReason.ReverseCheckFailed),
            new SessionAction.NoteReachability(IsReachable: false), new SessionAction.AskLater(First)]);
    }

    [Fact]
    public void A_pair_that_passes_a_later_check_lets_the_old_connection_run_out()
    {
        PeerSessionState checking = CheckedPair().Step(KindChanged(PeerKind.Node)).State
            .Step(new SessionInput.Dialled(Third, Later, IsReverse: true)).State;

        (PeerSessionState state, IReadOnlyList<SessionAction> actions) = checking.Step(ReverseHello(Third, Later));
        (PeerSessionState ended, IReadOnlyList<SessionAction> last) = state.Step(new SessionInput.ConnectionEnded(Second, CloseReason.Local));

        state.Retired!.Connection.ShouldBe(Second);
        actions.TakeLast(2).ShouldBe([new SessionAction.Move(Third, PeerKind.Node), new SessionAction.Retire(Second)]);
        last.ShouldBe([new SessionAction.RecordClosed(Second, CloseReason.Replaced)]);
        ended.Reverse!.Connection.ShouldBe(Third);
    }

    [Fact]
    public void A_new_address_of_a_node_asks_for_a_check_and_that_of_a_client_does_not()
    {
        CheckedPair().Step(new SessionInput.AddressChanged(First)).Actions.ShouldBe([new SessionAction.RequestCheck(First)]);
        PeerAsClient().Step(new SessionInput.AddressChanged(First)).Actions.ShouldBeEmpty();
    }

    [Fact]
    public void A_reverse_connection_that_falls_silent_leaves_a_client_link_on_both_sides()
    {
        (PeerSessionState checkers, IReadOnlyList<SessionAction> moved) = CheckedPair().Step(new SessionInput.ConnectionEnded(Second, CloseReason.Idle));
        (PeerSessionState checkeds, IReadOnlyList<SessionAction> told) = JoinedPair().Step(new SessionInput.ConnectionEnded(Second, CloseReason.Idle));

        checkers.Phase.ShouldBe(SessionPhase.Joined);
        moved.ShouldBe([
            new SessionAction.RecordClosed(Second, CloseReason.Idle), new SessionAction.ReportReverseFailed(First, MeshError.IdleTimeout),
            new SessionAction.Move(First, PeerKind.Client)]);
        checkeds.Phase.ShouldBe(SessionPhase.Joined);
        told.ShouldBe([
            new SessionAction.RecordClosed(Second, CloseReason.Idle), new SessionAction.SendKindChanged(First, PeerKind.Client, Link),
            new SessionAction.AskLater(First)]);
    }

    [Fact]
    public void A_node_that_says_it_is_a_client_now_is_used_as_one()
    {
        (PeerSessionState state, IReadOnlyList<SessionAction> actions) = CheckedPair().Step(KindChanged(PeerKind.Client));

        state.Phase.ShouldBe(SessionPhase.Joined);
        actions.ShouldBe([
            new SessionAction.Close(Second, WireCode.ReverseCheckFailed), new SessionAction.RecordClosed(Second, CloseReason.ReverseCheckFailed),
            new SessionAction.Move(First, PeerKind.Client)]);
    }

    [Fact]
    public void A_later_check_without_an_end_leaves_the_session_as_it_was()
    {
        PeerSessionState asked = UsedAsClient().Step(new SessionInput.CheckDue(Later, EvenIfPaired: false)).State;

        (PeerSessionState state, IReadOnlyList<SessionAction> actions) = asked.Step(new SessionInput.ReverseCheckTimedOut(Later));

        state.Phase.ShouldBe(SessionPhase.Joined);
        actions.ShouldBe([new SessionAction.AskLater(First)]);
    }

    [Fact]
    public void A_verdict_that_nobody_waits_for_is_no_news()
    {
        UsedAsClient().Step(new SessionInput.ReverseCheckReported(First)).Actions.ShouldBeEmpty();
        CheckedPair().Step(new SessionInput.ReverseCheckReported(First)).Actions.ShouldBeEmpty();
    }

    private static SessionInput.KindChanged KindChanged(PeerKind kind, bool mayCheck = true) => new(First, kind, Later, mayCheck);

    private static SessionInput.HelloReceived ReverseHello(Guid connection, Guid link) => new(connection, PeerKind.Node, Instance, link, IsReverse: true);

    /// <summary>We dialled, and the peer could not dial us back.</summary>
    private static PeerSessionState UsedAsClient() => Awaiting().Step(new SessionInput.ReverseCheckReported(First)).State;

    /// <summary>The peer dialled, and we could not dial it back.</summary>
    private static PeerSessionState PeerAsClient() => Checking().Step(new SessionInput.ReverseDialFailed(MeshError.Unreachable, Link)).State;

    /// <summary>A pair whose first connection the peer dialled.</summary>
    private static PeerSessionState CheckedPair() =>
        Checking().Step(new SessionInput.Dialled(Second, Link, IsReverse: true)).State.Step(Hello(Second, isReverse: true)).State;
}
