using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Sessions.Internal;
using EventMesh.Wire;

namespace EventMesh.Core.Tests.Sessions;

/// <summary>
/// Two peers' session states with a network between them that delivers in any order across connections, breaks connections, and lets reverse
/// dials through or not. Everything is decided by the seed.
/// </summary>
internal sealed class TwoSessions
{
    private readonly Random _random;
    private readonly Side[] _sides;
    private readonly Dictionary<Guid, Wire> _wires = [];
    private readonly List<Action> _later = [];

    public TwoSessions(int seed)
    {
        _random = new Random(seed);
        PeerId low = new([1, .. new byte[31]]), high = new([2, .. new byte[31]]);
        PeerKind kind = _random.Next(4) == 0 ? PeerKind.Client : PeerKind.Node;
        _sides = [new Side(low, high, kind), new Side(high, low, kind == PeerKind.Client ? PeerKind.Node : _random.Next(4) == 0 ? PeerKind.Client : PeerKind.Node)];
    }

    public IReadOnlyList<Side> Sides => _sides;

    /// <summary>Whatever can go wrong goes wrong, for so many steps.</summary>
    public void Disturb(int steps)
    {
        for (int i = 0; i < steps; i++)
        {
            int side = _random.Next(2);
            switch (_random.Next(40))
            {
                case 0 or 1:
                    Dial(side);
                    break;
                case 2 when _wires.Count > 0:
                    Break(_wires.Keys.ElementAt(_random.Next(_wires.Count)), _random.Next(2) == 0 ? CloseReason.Idle : CloseReason.Lost);
                    break;
                case 3 when _random.Next(4) == 0:
                    Feed(side, new SessionInput.EndRequested(CloseReason.Local, WireCode.Disconnected));
                    break;
                case 4:
                    _sides[side].IsReachable = !_sides[side].IsReachable;
                    break;
                case 5:
                    Feed(side, new SessionInput.CheckDue(Guid.NewGuid(), _random.Next(2) == 0));
                    break;
                case 6 when _sides[side].State.First is { IsDialer: false } first:
                    Feed(side, new SessionInput.AddressChanged(first.Connection));
                    break;
                case 7 when _random.Next(6) == 0:
                    Restart(side);
                    break;
                default:
                    RunOne();
                    break;
            }
        }
    }

    /// <summary>Nothing goes wrong any more; somebody dials when nobody is there, and all that is under way comes to its end.</summary>
    public void Settle()
    {
        foreach (Side side in _sides) side.IsReachable = true;
        for (int round = 0; round < 20; round++)
        {
            for (int i = 0; RunOne(); i++)
            {
                if (i > 5_000) throw new InvalidOperationException("They never come to rest.");
            }
            // Time passes: what waits for an answer that can't come any more gives up.
            foreach (int side in new[] { 0, 1 })
            {
                if (_sides[side].State is { Phase: SessionPhase.Linking } stuck) Break(stuck.First!.Connection, CloseReason.Lost);
                if (_sides[side].State.Check is var check && check != Guid.Empty) Feed(side, new SessionInput.ReverseCheckTimedOut(check));
                if (_sides[side].State.Phase == SessionPhase.Joined) Feed(side, new SessionInput.CheckDue(Guid.NewGuid(), EvenIfPaired: false));
            }
            if (_sides.All(side => side.State.Phase == SessionPhase.Absent) && _later.Count == 0)
                Dial(_sides[0].State.LocalKind == PeerKind.Client || _sides[1].State.LocalKind == PeerKind.Client
                    ? Array.FindIndex(_sides, side => side.State.LocalKind == PeerKind.Client)
                    : _random.Next(2));
        }
    }

    private void Dial(int side)
    {
        // A client does not listen.
        if (_sides[1 - side].State.LocalKind == PeerKind.Client) return;
        Guid connection = Open(side);
        Feed(side, new SessionInput.Dialled(connection, Guid.NewGuid(), IsReverse: false));
    }

    private Guid Open(int dialer)
    {
        var connection = Guid.NewGuid();
        _wires.Add(connection, new Wire(dialer, _sides[0].Instance, _sides[1].Instance));
        return connection;
    }

    private void Restart(int side)
    {
        Side fresh = new(_sides[side].State.Local, _sides[side].State.Remote, _sides[side].State.LocalKind);
        _sides[side] = fresh;
        // Its old connections are silent: the other side learns of their end by time-out, or by asking.
        foreach ((Guid connection, Wire wire) in _wires.Where(w => w.Value.InstanceOf(side) != fresh.Instance).ToArray())
        {
            wire.IsDead = true;
            Later(() => End(1 - side, connection, CloseReason.Idle));
        }
    }

    private void Break(Guid connection, CloseReason reason)
    {
        if (!_wires.TryGetValue(connection, out Wire? wire) || wire.IsDead) return;
        wire.IsDead = true;
        Later(() => End(0, connection, reason));
        Later(() => End(1, connection, reason));
    }

    private void Close(int side, Guid connection, WireCode code)
    {
        if (!_wires.TryGetValue(connection, out Wire? wire)) return;
        Later(() => End(side, connection, CloseReason.Shutdown));
        if (wire.IsDead) return;
        wire.IsDead = true;
        CloseReason reason = code switch
        {
            WireCode.ProtocolViolation => CloseReason.ProtocolViolation,
            WireCode.ReverseCheckFailed => CloseReason.ReverseCheckFailed,
            WireCode.Replaced => CloseReason.Replaced,
            WireCode.PairIncomplete => CloseReason.Lost,
            _ => CloseReason.Remote,
        };
        // It may overtake what was sent before, or come behind it.
        if (_random.Next(2) == 0) Later(() => End(1 - side, connection, reason));
        else wire.Frames[1 - side].Enqueue(() => End(1 - side, connection, reason));
    }

    /// <summary>Each side learns of an end once; of an instance that is gone nobody does.</summary>
    private void End(int side, Guid connection, CloseReason reason)
    {
        if (!_wires.TryGetValue(connection, out Wire? wire) || !wire.Ended.Add(side)) return;
        if (wire.Ended.Count == 2) _wires.Remove(connection);
        if (wire.InstanceOf(side) == _sides[side].Instance) Feed(side, new SessionInput.ConnectionEnded(connection, reason));
    }

    private void Send(int from, Guid connection, Func<SessionInput> input)
    {
        if (!_wires.TryGetValue(connection, out Wire? wire) || wire.IsDead) return;
        int to = 1 - from;
        wire.Frames[to].Enqueue(() =>
        {
            if (!wire.Ended.Contains(to) && wire.InstanceOf(to) == _sides[to].Instance) Feed(to, input());
        });
    }

    /// <summary>Delivers one frame, in the order of its connection, or does one of the things that take time.</summary>
    private bool RunOne()
    {
        Queue<Action>[] queues = [.. _wires.Values.SelectMany(wire => wire.Frames).Where(queue => queue.Count > 0)];
        int count = queues.Length + _later.Count;
        if (count == 0) return false;
        int at = _random.Next(count);
        if (at < queues.Length)
        {
            queues[at].Dequeue()();
            return true;
        }
        Action action = _later[at - queues.Length];
        _later.RemoveAt(at - queues.Length);
        action();
        return true;
    }

    private void Later(Action action) => _later.Add(action);

    private void LaterFor(int side, Action action)
    {
        Guid instance = _sides[side].Instance;
        Later(() =>
        {
            if (_sides[side].Instance == instance) action();
        });
    }

    private void Feed(int index, SessionInput input)
    {
        Side side = _sides[index];
        (side.State, IReadOnlyList<SessionAction> actions) = side.State.Step(input);
        side.History.Add($"{input} -> {side.State.Phase}");
        foreach (SessionAction action in actions)
        {
            side.History.Add($"   {action}");
            Do(index, side, action);
        }
    }

    private void Do(int index, Side side, SessionAction action)
    {
        PeerKind kind = side.State.LocalKind;
        switch (action)
        {
            case SessionAction.SendHello a:
                Send(index, a.Connection, () => new SessionInput.HelloReceived(a.Connection, kind, side.Instance, a.LinkId, a.IsReverse));
                break;
            case SessionAction.SendHelloAndAccept a:
                Send(index, a.Connection, () => new SessionInput.HelloReceived(a.Connection, kind, side.Instance, a.LinkId, a.IsReverse, IsAnswer: true));
                break;
            case SessionAction.SendAccept a:
                Send(index, a.Connection, () => new SessionInput.AcceptReceived(a.Connection));
                break;
            case SessionAction.Refuse a:
                Close(index, a.Connection, a.Code);
                break;
            case SessionAction.Close a:
                Close(index, a.Connection, a.Code);
                break;
            case SessionAction.Retire a:
                LaterFor(index, () => Close(index, a.Connection, WireCode.Replaced));
                break;
            case SessionAction.StartReverseCheck a:
                LaterFor(index, () =>
                {
                    if (!_sides[1 - index].IsReachable || !_wires.ContainsKey(a.Connection))
                        Feed(index, new SessionInput.ReverseDialFailed(MeshError.Unreachable, a.LinkId));
                    else Feed(index, new SessionInput.Dialled(Open(index), a.LinkId, IsReverse: true));
                });
                break;
            case SessionAction.ReportReverseFailed a:
                Send(index, a.Connection, () => new SessionInput.ReverseCheckReported(a.Connection));
                break;
            case SessionAction.DeclineCheck a:
                Send(index, a.Connection, () => new SessionInput.ReverseCheckReported(a.Connection, WasMade: false));
                break;
            case SessionAction.SendKindChanged a:
                bool mayCheck = _random.Next(3) > 0;
                Send(index, a.Connection, () => new SessionInput.KindChanged(a.Connection, a.Kind, a.LinkId, mayCheck));
                break;
            case SessionAction.RequestCheck a:
                Send(index, a.Connection, () => new SessionInput.CheckDue(Guid.NewGuid(), EvenIfPaired: true));
                break;
            case SessionAction.PingOldConnection a:
                bool isAlive = _wires.TryGetValue(a.Connection, out Wire? wire) && !wire.IsDead;
                LaterFor(index, () => Feed(index, isAlive ? new SessionInput.OldConnectionAlive() : new SessionInput.OldConnectionSilent(a.Contender)));
                break;
            case SessionAction.RecordOpened a:
                side.Open.Add(a.Connection);
                break;
            case SessionAction.RecordClosed a:
                if (!side.Open.Remove(a.Connection)) throw new InvalidOperationException($"Closed without having been open: {a}");
                break;
            case SessionAction.Join a:
                (side.SendOn, side.Kind) = (a.SendOn, a.Kind);
                break;
            case SessionAction.Move a:
                (side.SendOn, side.Kind) = (a.SendOn, a.Kind);
                break;
            case SessionAction.Leave:
                side.SendOn = null;
                break;
            default:
                break;
        }
    }

    /// <summary>One of the two processes.</summary>
    internal sealed class Side(PeerId local, PeerId remote, PeerKind kind)
    {
        public PeerSessionState State { get; set; } = new(local, remote, kind);

        public Guid Instance { get; } = Guid.NewGuid();

        public bool IsReachable { get; set; } = true;

        /// <summary>What its log has open.</summary>
        public HashSet<Guid> Open { get; } = [];

        public Guid? SendOn { get; set; }

        /// <summary>What the other one is to it.</summary>
        public PeerKind Kind { get; set; }

        public List<string> History { get; } = [];
    }

    /// <summary>A connection: what is under way to each side, and whose process it was made with.</summary>
    private sealed class Wire(int dialer, Guid first, Guid second)
    {
        public int Dialer => dialer;

        public Queue<Action>[] Frames { get; } = [new(), new()];

        public HashSet<int> Ended { get; } = [];

        public bool IsDead { get; set; }

        public Guid InstanceOf(int side) => side == 0 ? first : second;
    }
}
