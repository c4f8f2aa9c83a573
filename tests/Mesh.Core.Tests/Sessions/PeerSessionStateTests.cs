using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Sessions.Internal;
using EventMesh.Wire;
using Shouldly;
using Xunit;

namespace EventMesh.Core.Tests.Sessions;

public sealed partial class PeerSessionStateTests
{
    private static readonly PeerId Low = new([1, .. new byte[31]]);
    private static readonly PeerId High = new([2, .. new byte[31]]);
    private static readonly Guid First = Guid.NewGuid();
    private static readonly Guid Second = Guid.NewGuid();
    private static readonly Guid Link = Guid.NewGuid();
    private static readonly Guid Instance = Guid.NewGuid();

    [Fact]
    public void A_dial_begins_with_our_hello()
    {
        (PeerSessionState state, IReadOnlyList<SessionAction> actions) = Absent().Step(new SessionInput.Dialled(First, Link, IsReverse: false));

        state.Phase.ShouldBe(SessionPhase.Linking);
        actions.ShouldBe([new SessionAction.SendHello(First, Link, IsReverse: false)]);
    }

    [Fact]
    public void A_node_that_dialled_awaits_the_reverse_connection_before_it_joins()
    {
        (PeerSessionState state, IReadOnlyList<SessionAction> actions) = Dialling().Step(Hello(First));

        state.Phase.ShouldBe(SessionPhase.AwaitingReverse);
        actions.ShouldBe([
            new SessionAction.SendAccept(First), new SessionAction.RecordOpened(First), new SessionAction.AwaitReverseConnection(Link)]);
    }

    [Fact]
    public void A_client_that_dialled_joins_at_once()
    {
        (PeerSessionState state, IReadOnlyList<SessionAction> actions) = Dialling(PeerKind.Client).Step(Hello(First));

        state.Phase.ShouldBe(SessionPhase.Joined);
        actions[^1].ShouldBe(new SessionAction.Join(First, PeerKind.Node));
    }

    [Fact]
    public void An_acceptor_answers_a_hello_and_stands_only_with_the_dialers_accept()
    {
        (PeerSessionState accepted, IReadOnlyList<SessionAction> answer) = Absent().Step(Hello(First));
        (PeerSessionState standing, IReadOnlyList<SessionAction> check) = accepted.Step(new SessionInput.AcceptReceived(First));

        answer.ShouldBe([new SessionAction.SendHelloAndAccept(First, Link, IsReverse: false)]);
        check.ShouldBe([new SessionAction.RecordOpened(First), new SessionAction.StartReverseCheck(First, Link)]);
        standing.Phase.ShouldBe(SessionPhase.AwaitingReverse);
    }

    [Fact]
    public void An_acceptor_joins_a_client_on_its_one_connection()
    {
        PeerSessionState accepted = Absent().Step(Hello(First, kind: PeerKind.Client)).State;

        (PeerSessionState state, IReadOnlyList<SessionAction> actions) = accepted.Step(new SessionInput.AcceptReceived(First));

        state.Phase.ShouldBe(SessionPhase.Joined);
        actions[^1].ShouldBe(new SessionAction.Join(First, PeerKind.Client));
    }

    [Fact]
    public void The_checker_sends_on_the_connection_that_it_opened()
    {
        PeerSessionState dialledBack = Checking().Step(new SessionInput.Dialled(Second, Link, IsReverse: true)).State;

        (PeerSessionState state, IReadOnlyList<SessionAction> actions) = dialledBack.Step(Hello(Second, isReverse: true));

        state.Phase.ShouldBe(SessionPhase.Joined);
        actions.ShouldBe([
            new SessionAction.SendAccept(Second), new SessionAction.RecordOpened(Second), new SessionAction.RecordReverseConfirmed(Second),
            new SessionAction.Join(Second, PeerKind.Node)]);
    }

    [Fact]
    public void The_checked_sends_on_the_connection_that_it_opened()
    {
        PeerSessionState reached = Awaiting().Step(Hello(Second, isReverse: true)).State;

        (PeerSessionState state, IReadOnlyList<SessionAction> actions) = reached.Step(new SessionInput.AcceptReceived(Second));

        state.Phase.ShouldBe(SessionPhase.Joined);
        actions.ShouldBe([
            new SessionAction.RecordOpened(Second), new SessionAction.NoteReachability(IsReachable: true),
            new SessionAction.Join(First, PeerKind.Node)]);
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void A_reverse_connection_of_another_link_or_instance_is_refused(bool sameLink, bool sameInstance)
    {
        SessionInput hello = new SessionInput.HelloReceived(
            Second, PeerKind.Node, sameInstance ? Instance : Guid.NewGuid(), sameLink ? Link : Guid.NewGuid(), IsReverse: true);

        (PeerSessionState state, IReadOnlyList<SessionAction> actions) = Awaiting().Step(hello);

        state.Phase.ShouldBe(SessionPhase.AwaitingReverse);
        actions.ShouldBe([new SessionAction.Refuse(Second, WireCode.LinkUnknown)]);
    }

    [Fact]
    public void A_reverse_connection_is_taken_once()
    {
        PeerSessionState joined = JoinedPair();

        (_, IReadOnlyList<SessionAction> actions) = joined.Step(Hello(Guid.NewGuid(), isReverse: true));

        actions.ShouldHaveSingleItem().ShouldBeOfType<SessionAction.Refuse>().Code.ShouldBe(WireCode.LinkUnknown);
    }

    [Fact]
    public void A_peer_that_cant_be_dialled_back_joins_as_a_client()
    {
        (PeerSessionState state, IReadOnlyList<SessionAction> actions) = Checking().Step(new SessionInput.ReverseDialFailed(MeshError.Unreachable, Link));

        state.Phase.ShouldBe(SessionPhase.Joined);
        actions.ShouldBe([new SessionAction.ReportReverseFailed(First, MeshError.Unreachable), new SessionAction.Join(First, PeerKind.Client)]);
    }

    [Fact]
    public void A_node_that_could_not_be_reached_joins_on_its_one_connection()
    {
        (PeerSessionState state, IReadOnlyList<SessionAction> actions) = Awaiting().Step(new SessionInput.ReverseCheckReported(First));

        state.Phase.ShouldBe(SessionPhase.Joined);
        actions.ShouldBe([
            new SessionAction.NoteReachability(IsReachable: false), new SessionAction.Join(First, PeerKind.Node), new SessionAction.AskLater(First)]);
    }

    [Fact]
    public void A_failed_check_takes_its_half_made_connection_along()
    {
        PeerSessionState reached = Awaiting().Step(Hello(Second, isReverse: true)).State;

        (PeerSessionState state, IReadOnlyList<SessionAction> actions) = reached.Step(new SessionInput.ReverseCheckReported(First));
        (PeerSessionState later, IReadOnlyList<SessionAction> late) = state.Step(new SessionInput.AcceptReceived(Second));

        actions[0].ShouldBe(new SessionAction.Close(Second, WireCode.ReverseCheckFailed));
        late.OfType<SessionAction.Join>().ShouldBeEmpty("a peer joins once");
        later.Step(new SessionInput.ConnectionEnded(Second, CloseReason.Remote)).State.Phase.ShouldBe(SessionPhase.Joined);
    }

    [Fact]
    public void A_reverse_check_without_an_end_closes_the_pair()
    {
        (PeerSessionState state, IReadOnlyList<SessionAction> actions) = Awaiting().Step(new SessionInput.ReverseCheckTimedOut(Link));

        state.Phase.ShouldBe(SessionPhase.Absent);
        actions.ShouldBe([
            new SessionAction.Close(First, WireCode.ReverseCheckFailed), new SessionAction.RecordClosed(First, CloseReason.ReverseCheckFailed)]);
    }

    [Fact]
    public void A_late_time_out_of_a_joined_pair_changes_nothing()
    {
        PeerSessionState joined = JoinedPair();

        (PeerSessionState state, IReadOnlyList<SessionAction> actions) = joined.Step(new SessionInput.ReverseCheckTimedOut(Link));

        state.ShouldBe(joined);
        actions.ShouldBeEmpty();
    }

    [Fact]
    public void Of_two_crossing_dials_the_higher_peers_gives_way()
    {
        PeerSessionState lower = Dialling(local: Low, remote: High);
        PeerSessionState higher = Dialling(local: High, remote: Low);

        lower.Step(Hello(Second)).Actions.ShouldBe([new SessionAction.Refuse(Second, WireCode.SimultaneousDial)]);
        (PeerSessionState yielded, IReadOnlyList<SessionAction> actions) = higher.Step(Hello(Second));

        actions.ShouldBe([
            new SessionAction.Close(First, WireCode.SimultaneousDial), new SessionAction.SendHelloAndAccept(Second, Link, IsReverse: false)]);
        yielded.First!.Connection.ShouldBe(Second);
    }

    [Fact]
    public void A_dial_that_lost_the_race_ends_without_a_hello()
    {
        PeerSessionState accepted = Absent().Step(Hello(First)).State;

        accepted.Step(new SessionInput.Dialled(Second, Guid.NewGuid(), IsReverse: false)).Actions
            .ShouldBe([new SessionAction.Close(Second, WireCode.AlreadyConnected)]);
    }

    [Fact]
    public void A_second_connection_of_the_same_instance_is_refused()
    {
        JoinedPair().Step(Hello(Guid.NewGuid())).Actions
            .ShouldHaveSingleItem().ShouldBeOfType<SessionAction.Refuse>().Code.ShouldBe(WireCode.AlreadyConnected);
    }

    [Fact]
    public void Another_instance_waits_for_the_old_connections_answer()
    {
        (PeerSessionState state, IReadOnlyList<SessionAction> actions) = JoinedPair().Step(Hello(Contender, instance: Guid.NewGuid()));

        state.Phase.ShouldBe(SessionPhase.Joined);
        actions.ShouldBe([new SessionAction.PingOldConnection(First, Contender)]);
    }

    [Fact]
    public void A_live_old_instance_stays_and_both_are_told()
    {
        PeerSessionState contended = JoinedPair().Step(Hello(Contender, instance: Guid.NewGuid())).State;

        (PeerSessionState state, IReadOnlyList<SessionAction> actions) = contended.Step(new SessionInput.OldConnectionAlive());

        state.Phase.ShouldBe(SessionPhase.Joined);
        actions.ShouldBe([new SessionAction.Refuse(Contender, WireCode.DuplicateIdentity), new SessionAction.NotifyDuplicate(First)]);
    }

    [Fact]
    public void A_silent_old_instance_is_replaced()
    {
        PeerSessionState contended = JoinedPair().Step(Hello(Contender, instance: Guid.NewGuid())).State;

        (PeerSessionState state, IReadOnlyList<SessionAction> actions) = contended.Step(new SessionInput.OldConnectionSilent(Contender));

        state.Phase.ShouldBe(SessionPhase.Linking);
        state.First!.Connection.ShouldBe(Contender);
        actions.ShouldBe([
            new SessionAction.Close(First, WireCode.Replaced), new SessionAction.RecordClosed(First, CloseReason.Replaced),
            new SessionAction.Close(Second, WireCode.Replaced), new SessionAction.RecordClosed(Second, CloseReason.Replaced),
            new SessionAction.Leave(CloseReason.Replaced), new SessionAction.SendHelloAndAccept(Contender, Link, IsReverse: false)]);
    }

    [Fact]
    public void An_old_connection_that_ends_makes_room_for_the_new_instance_at_once()
    {
        PeerSessionState contended = JoinedPair().Step(Hello(Contender, instance: Guid.NewGuid())).State;

        PeerSessionState state = contended.Step(new SessionInput.ConnectionEnded(First, CloseReason.Lost)).State;

        state.First!.Connection.ShouldBe(Contender);
    }

    [Fact]
    public void A_pair_ends_with_either_connection_and_the_peer_leaves_once()
    {
        (PeerSessionState state, IReadOnlyList<SessionAction> actions) = JoinedPair().Step(new SessionInput.ConnectionEnded(Second, CloseReason.Lost));
        (_, IReadOnlyList<SessionAction> later) = state.Step(new SessionInput.ConnectionEnded(First, CloseReason.Local));

        state.Phase.ShouldBe(SessionPhase.Absent);
        actions.ShouldBe([
            new SessionAction.Close(First, WireCode.PairIncomplete), new SessionAction.RecordClosed(First, CloseReason.Lost),
            new SessionAction.RecordClosed(Second, CloseReason.Lost), new SessionAction.Leave(CloseReason.Lost)]);
        later.ShouldBeEmpty();
    }

    [Fact]
    public void A_connection_that_never_stood_is_not_recorded_as_closed()
    {
        (PeerSessionState state, IReadOnlyList<SessionAction> actions) = Dialling().Step(new SessionInput.ConnectionEnded(First, CloseReason.Lost));

        state.Phase.ShouldBe(SessionPhase.Absent);
        actions.ShouldBeEmpty();
    }

    [Fact]
    public void A_broken_reverse_handshake_is_a_failed_check_for_the_checker()
    {
        PeerSessionState dialledBack = Checking().Step(new SessionInput.Dialled(Second, Link, IsReverse: true)).State;

        (PeerSessionState state, IReadOnlyList<SessionAction> actions) = dialledBack.Step(new SessionInput.ConnectionEnded(Second, CloseReason.Lost));

        state.Phase.ShouldBe(SessionPhase.Joined);
        actions[0].ShouldBeOfType<SessionAction.ReportReverseFailed>();
    }

    [Fact]
    public void A_dialer_that_accepts_twice_is_closed()
    {
        JoinedPair().Step(new SessionInput.AcceptReceived(Second)).Actions
            .ShouldBe([new SessionAction.Close(Second, WireCode.ProtocolViolation)]);
    }

    private static readonly Guid Contender = Guid.NewGuid();

    private static PeerSessionState Absent(PeerKind kind = PeerKind.Node, PeerId? local = null, PeerId? remote = null) =>
        new(local ?? Low, remote ?? High, kind);

    private static SessionInput.HelloReceived Hello(
        Guid connection, PeerKind kind = PeerKind.Node, Guid? instance = null, bool isReverse = false) =>
        new(connection, kind, instance ?? Instance, Link, isReverse);

    private static PeerSessionState Dialling(PeerKind kind = PeerKind.Node, PeerId? local = null, PeerId? remote = null) =>
        Absent(kind, local, remote).Step(new SessionInput.Dialled(First, Link, IsReverse: false)).State;

    /// <summary>We dialled and wait for the peer's reverse connection.</summary>
    private static PeerSessionState Awaiting() => Dialling().Step(Hello(First)).State;

    /// <summary>The peer dialled and we check it.</summary>
    private static PeerSessionState Checking() => Absent().Step(Hello(First)).State.Step(new SessionInput.AcceptReceived(First)).State;

    private static PeerSessionState JoinedPair() =>
        Awaiting().Step(Hello(Second, isReverse: true)).State.Step(new SessionInput.AcceptReceived(Second)).State;
}
