using System.Runtime.CompilerServices;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Sessions.Internal;
using EventMesh.Wire;
using Shouldly;

namespace EventMesh.Core.Tests.Sessions;

/// <summary>Feeds one session's state with a random history, such as a hostile peer and a bad network make, and checks what must always hold.</summary>
internal sealed class SessionWalk
{
    private static readonly PeerId Low = new([1, .. new byte[31]]);
    private static readonly PeerId High = new([2, .. new byte[31]]);

    private readonly Random _random;
    private readonly List<Guid> _live = [];
    private readonly HashSet<Guid> _silent = [];
    private readonly HashSet<Guid> _dialled = [];
    private readonly HashSet<Guid> _opened = [];
    private readonly HashSet<Guid> _closed = [];
    private readonly List<Guid> _links = [Guid.NewGuid()];
    private readonly Guid[] _instances = [Guid.NewGuid(), Guid.NewGuid()];
    private bool _isJoined;
    private Guid _sendOn;

    public SessionWalk(int seed)
    {
        _random = new Random(seed);
        (PeerId local, PeerId remote) = _random.Next(2) == 0 ? (Low, High) : (High, Low);
        State = new PeerSessionState(local, remote, _random.Next(4) == 0 ? PeerKind.Client : PeerKind.Node);
    }

    /// <summary>The same history so far, to go on differently.</summary>
    public SessionWalk(SessionWalk other, int seed)
    {
        _random = new Random(seed);
        _live.AddRange(other._live);
        _silent.UnionWith(other._silent);
        _dialled.UnionWith(other._dialled);
        _opened.UnionWith(other._opened);
        _closed.UnionWith(other._closed);
        _links.AddRange(other._links);
        _instances = other._instances;
        (State, _isJoined, _sendOn) = (other.State, other._isJoined, other._sendOn);
    }

    /// <summary>The names of all inputs.</summary>
    public static string[] InputKinds { get; } = [.. typeof(SessionInput).GetNestedTypes().Select(type => type.Name)];

    public PeerSessionState State { get; private set; }

    /// <summary>What distinguishes a state from another as far as inputs go.</summary>
    public static string Shape(PeerSessionState s) =>
        $"{s.Phase}/{Of(s.First)}{(s.Reverse is null ? "" : " reverse")}{(s.Probe is null ? "" : " probe")}{(s.Retired is null ? "" : " retired")}"
        + $"{(s.Check == Guid.Empty ? "" : s.IsCheckSpent ? " spent" : " check")}{(s.Contender is null ? "" : " contender")}";

    /// <summary>One more input of the peer, the network or the clock.</summary>
    public SessionInput NextInput()
    {
        // Half of the time what the state waits for, or a walk would never come far.
        if (_random.Next(2) == 0 && Likely() is { } likely) return likely;
        while (true)
        {
            int kind = _random.Next(InputKinds.Length);
            // The end of everything is rare, and a peer has at most so many connections.
            if (_live.Count >= 10 && InputKinds[kind] is nameof(SessionInput.Dialled) or nameof(SessionInput.HelloReceived)) continue;
            if (InputKinds[kind] == nameof(SessionInput.EndRequested) && _random.Next(20) != 0) continue;
            if (InputOf(InputKinds[kind]) is { } input) return input;
        }
    }

    /// <summary>An input of this kind with random content; null when no connection is there that it could come from.</summary>
    public SessionInput? InputOf(string kind) => kind switch
    {
        nameof(SessionInput.Dialled) => new SessionInput.Dialled(Attach(isDialer: true), Link(), _random.Next(2) == 0),
        nameof(SessionInput.HelloReceived) when _random.Next(3) == 0 && Any(_dialled) is { } ours => Hello(ours, isReverse: false),
        nameof(SessionInput.HelloReceived) => Hello(Attach(isDialer: false), _random.Next(2) == 0),
        nameof(SessionInput.AcceptReceived) when Any([.. _live.Except(_dialled)]) is { } theirs => new SessionInput.AcceptReceived(theirs),
        nameof(SessionInput.ReverseDialFailed) => new SessionInput.ReverseDialFailed(MeshError.Unreachable, Link()),
        nameof(SessionInput.ReverseCheckReported) when Any(_live) is { } any => new SessionInput.ReverseCheckReported(any, _random.Next(2) == 0),
        nameof(SessionInput.ReverseCheckTimedOut) => new SessionInput.ReverseCheckTimedOut(Link()),
        nameof(SessionInput.OldConnectionAlive) => new SessionInput.OldConnectionAlive(),
        nameof(SessionInput.OldConnectionSilent) =>
            new SessionInput.OldConnectionSilent(State.Contender is { } contender && _random.Next(3) > 0 ? contender.Connection : Guid.NewGuid()),
        nameof(SessionInput.ConnectionEnded) when Any(_live) is { } any => End(any),
        nameof(SessionInput.EndRequested) => new SessionInput.EndRequested(CloseReason.Local, WireCode.Disconnected),
        nameof(SessionInput.CheckDue) => new SessionInput.CheckDue(NewLink(), _random.Next(2) == 0),
        nameof(SessionInput.KindChanged) when Any(_live) is { } any =>
            new SessionInput.KindChanged(any, (PeerKind)_random.Next(2), NewLink(), _random.Next(3) > 0),
        nameof(SessionInput.AddressChanged) when Any(_live) is { } any => new SessionInput.AddressChanged(any),
        _ => null,
    };

    /// <summary>A peer's connection that has not said anything yet.</summary>
    public void AttachStranger() => Attach(isDialer: false);

    /// <summary>Takes the step and checks everything that must hold.</summary>
    public void Step(SessionInput input)
    {
        PeerSessionState before = State;
        (State, IReadOnlyList<SessionAction> actions) = State.Step(input);
        if (input is SessionInput.ConnectionEnded { Connection: var gone }) _silent.Remove(gone);
        try
        {
            foreach (SessionAction action in actions) Check(action, input);
            CheckState();
        }
        catch (InvalidOperationException e)
        {
            throw new InvalidOperationException($"{Shape(before)} + {input} -> {Shape(State)}: {string.Join(", ", actions)}", e);
        }
        if (input is SessionInput.ConnectionEnded ended)
        {
            _dialled.Remove(ended.Connection);
        }
    }

    /// <summary>Ends every connection, as the end of the process does; then nothing may be left.</summary>
    public void Finish()
    {
        while (_live.Count > 0) Step(End(_live[0]));
        State.Phase.ShouldBe(SessionPhase.Absent);
        _isJoined.ShouldBeFalse();
        _opened.SetEquals(_closed).ShouldBeTrue("the log explains each connection that it has opened");
    }

    private static string Of(SessionLink? link) => link is null ? "none" : $"{(link.IsDialer ? "ours" : "theirs")}-{link.Stage}";

    private SessionInput? Likely() => State switch
    {
        { Probe: { IsDialer: true } probe } => new SessionInput.HelloReceived(probe.Connection, PeerKind.Node, State.RemoteInstance, State.Check, IsReverse: true),
        { Probe: { } probe } => new SessionInput.AcceptReceived(probe.Connection),
        { First: { Stage: LinkStage.HelloSent } first } => Hello(first.Connection, isReverse: false),
        { First: { Stage: LinkStage.Accepted } first } => new SessionInput.AcceptReceived(first.Connection),
        { IsCheckSpent: false, First.IsDialer: false } when State.Check != Guid.Empty =>
            new SessionInput.Dialled(Attach(isDialer: true), State.Check, IsReverse: true),
        { IsCheckSpent: false } when State.Check != Guid.Empty =>
            new SessionInput.HelloReceived(Attach(isDialer: false), PeerKind.Node, State.RemoteInstance, State.Check, IsReverse: true),
        { Phase: SessionPhase.Joined, First: { IsDialer: false } first } =>
            new SessionInput.KindChanged(first.Connection, PeerKind.Node, NewLink(), MayCheck: true),
        _ => null,
    };

    private void Check(SessionAction action, SessionInput input)
    {
        Guid? ending = (input as SessionInput.ConnectionEnded)?.Connection;
        switch (action)
        {
            case SessionAction.Refuse { Connection: var connection }:
                Hold(_live.Contains(connection));
                Hold(!_dialled.Contains(connection));
                _silent.Add(connection);
                break;
            case SessionAction.Close { Connection: var connection, Code: var code }:
                Hold(_live.Contains(connection));
                // A violation stays what it was until its end comes; whatever else we close, the state forgets.
                if (code != WireCode.ProtocolViolation) _silent.Add(connection);
                break;
            case SessionAction.RecordOpened { Connection: var connection }:
                Hold(_live.Contains(connection));
                Hold(_opened.Add(connection));
                break;
            case SessionAction.RecordClosed { Connection: var connection }:
                Hold(_live.Contains(connection) || connection == ending);
                Hold(_opened.Contains(connection));
                Hold(_closed.Add(connection));
                break;
            case SessionAction.Join { SendOn: var connection }:
                Hold(!_isJoined);
                (_isJoined, _sendOn) = (true, connection);
                break;
            case SessionAction.Move { SendOn: var connection }:
                Hold(_isJoined);
                _sendOn = connection;
                break;
            case SessionAction.Leave:
                Hold(_isJoined);
                _isJoined = false;
                break;
            case SessionAction.SendHello { Connection: var connection }:
                Hold(_dialled.Contains(connection));
                break;
            case SessionAction.SendHelloAndAccept { Connection: var connection }:
                Hold(_live.Contains(connection));
                Hold(!_dialled.Contains(connection));
                break;
            case SessionAction.SendAccept { Connection: var connection }:
                Hold(_dialled.Contains(connection));
                break;
            default:
                // The rest speaks on the first connection.
                Guid named = (Guid)(action.GetType().GetProperty("Connection")?.GetValue(action) ?? _live.FirstOrDefault());
                if (action is not SessionAction.NoteReachability and not SessionAction.AwaitReverseConnection) Hold(_live.Contains(named));
                break;
        }
        if (action is SessionAction.Join or SessionAction.Move)
        {
            Hold(_live.Contains(_sendOn));
            Hold(!_silent.Contains(_sendOn));
            Hold(_opened.Contains(_sendOn) && !_closed.Contains(_sendOn));
        }
    }

    private void CheckState()
    {
        PeerSessionState s = State;
        SessionLink[] links = [.. Links()];
        Hold(links.Select(link => link.Connection).Distinct().Count() == links.Length);
        foreach (SessionLink link in links)
        {
            Hold(_live.Contains(link.Connection));
            Hold(!_silent.Contains(link.Connection));
            Hold((link.Stage == LinkStage.Standing) == (_opened.Contains(link.Connection) && !_closed.Contains(link.Connection)));
            Hold(link.IsDialer == _dialled.Contains(link.Connection));
        }
        Hold((s.Phase == SessionPhase.Absent) == (s.First is null));
        if (s.Phase == SessionPhase.Absent) Hold(links.Length == 0 && s.Contender is null && s.Check == Guid.Empty);
        Hold((s.Phase is SessionPhase.AwaitingReverse or SessionPhase.Joined) == (s.First?.Stage == LinkStage.Standing));
        Hold((s.Phase == SessionPhase.Joined) == _isJoined);
        if (s.Phase == SessionPhase.AwaitingReverse) Hold(s.Check != Guid.Empty && s.Reverse is null);
        if (s.Reverse is { } reverse)
        {
            Hold(s.Phase == SessionPhase.Joined && reverse.Stage == LinkStage.Standing);
            // One first connection: the other of the pair is always the other side's.
            Hold(reverse.IsDialer != s.First!.IsDialer);
        }
        if (s.Probe is { } probe)
        {
            Hold(s.Check != Guid.Empty && s.IsCheckSpent && probe.LinkId == s.Check && probe.Stage != LinkStage.Standing);
            Hold(probe.IsDialer != s.First!.IsDialer);
        }
        if (s.Phase == SessionPhase.Joined) Hold(_sendOn == (s.Reverse is { IsDialer: true } ours ? ours.Connection : s.First!.Connection));
    }

    // Quicker than an assertion: it is asked millions of times.
    private static void Hold(bool condition, [CallerArgumentExpression(nameof(condition))] string? what = null)
    {
        if (!condition) throw new InvalidOperationException($"Does not hold: {what}");
    }

    private IEnumerable<SessionLink> Links() => new[] { State.First, State.Reverse, State.Probe, State.Retired }.OfType<SessionLink>();

    private SessionInput.HelloReceived Hello(Guid connection, bool isReverse) =>
        new(connection, (PeerKind)_random.Next(2), _instances[_random.Next(5) == 0 ? 1 : 0], Link(), isReverse, _dialled.Contains(connection));

    private SessionInput.ConnectionEnded End(Guid connection)
    {
        _live.Remove(connection);
        var reasons = Enum.GetValues<CloseReason>();
        return new(connection, reasons[_random.Next(reasons.Length)]);
    }

    private Guid Attach(bool isDialer)
    {
        var connection = Guid.NewGuid();
        _live.Add(connection);
        if (isDialer) _dialled.Add(connection);
        return connection;
    }

    private Guid Link() => State.Check != Guid.Empty && _random.Next(2) == 0 ? State.Check : _links[_random.Next(_links.Count)];

    private Guid NewLink()
    {
        _links.Add(Guid.NewGuid());
        return _links[^1];
    }

    private Guid? Any(IReadOnlyCollection<Guid> from) => from.Count == 0 ? null : from.ElementAt(_random.Next(from.Count));
}
