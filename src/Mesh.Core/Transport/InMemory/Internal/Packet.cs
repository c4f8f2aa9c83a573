using System.Net;

namespace EventMesh.Transport.InMemory.Internal;

/// <summary>A packet under way, or waiting to be sent again.</summary>
internal sealed class Packet(InMemoryConnection sender, PacketKind kind) : IScheduledWork
{
    private const int Overhead = 40;
    private static readonly long MaxRetransmission = TimeSpan.FromSeconds(1).Ticks;
    private static readonly long MinRetransmission = TimeSpan.FromMilliseconds(5).Ticks;

    private int _attempts;
    private bool _isUnderWay;

    public PacketKind Kind { get; } = kind;

    public IPEndPoint From => sender.LocalEndPoint;

    public IPEndPoint To => sender.RemoteEndPoint;

    public InMemoryConnection Sender => sender;

    public StreamDirection Direction { get; init; }

    public long StreamId { get; init; }

    /// <summary>An offset, a limit, a final size or a number of bytes: what the kind needs.</summary>
    public long Number { get; init; }

    public ulong Code { get; init; }

    public bool IsEnd { get; init; }

    public ReadOnlyMemory<byte> Data { get; init; }

    public TransportCloseInfo? Reason { get; init; }

    /// <summary>When what this packet answers was sent; for the round trip.</summary>
    public long EchoedTime { get; init; } = -1;

    public long SentAt { get; private set; }

    public int Size => Kind is PacketKind.Initial or PacketKind.ServerHandshake ? 1200 : Data.Length + Overhead;

    /// <summary>Whether somebody must answer: such packets keep a connection from being idle.</summary>
    public bool IsAckEliciting => Kind is not (PacketKind.Ack or PacketKind.Pong or PacketKind.Close or PacketKind.Retry);

    // A close is repeated when the other side goes on sending (RFC 9000 10.2.1), not by a timer.
    private bool IsSentAgain => Kind != PacketKind.Close;

    private InMemoryNetwork Network => sender.Network;

    public void Send()
    {
        long now = Network.Scheduler.Now;
        SentAt = now;
        sender.CountSent(this, now);
        LinkConditions link = Network.Links.Conditions(From, To);
        if (Network.Links.IsPartitioned(From, To))
        {
            Lose(PacketFate.Partitioned);
        }
        else if (link.Loss > 0 && sender.NextRandom() < link.Loss)
        {
            Lose(PacketFate.Lost);
        }
        else
        {
            long delay = link.Latency.Ticks;
            if (link.Jitter > TimeSpan.Zero)
                delay += (long)(link.Jitter.Ticks * sender.NextRandom());
            if (link.Reordering > 0 && sender.NextRandom() < link.Reordering)
                delay += delay + link.Jitter.Ticks;
            Network.Trace(this, PacketFate.Sent);
            _isUnderWay = true;
            Network.Scheduler.Schedule(this, now + delay);
        }
    }

    public void Run()
    {
        if (!_isUnderWay)
        {
            lock (sender.Mutex)
            {
                if (!sender.HasEnded)
                    Send();
            }
            return;
        }
        _isUnderWay = false;
        if (Network.Links.IsPartitioned(From, To))
            Lose(PacketFate.Partitioned);
        else if (Deliver())
            Network.Trace(this, PacketFate.Arrived);
        else
            Lose(PacketFate.Unanswered);
    }

    private bool Deliver()
    {
        if (Kind != PacketKind.Initial)
            return sender.Peer is { } peer && peer.Arrive(this);
        return Network.Find(To) is { } endpoint && endpoint.ArriveInitial(this);
    }

    private void Lose(PacketFate fate)
    {
        Network.Trace(this, fate);
        if (!IsSentAgain || sender.HasEnded)
            return;
        LinkConditions there = Network.Links.Conditions(From, To);
        LinkConditions back = Network.Links.Conditions(To, From);
        long timeout = Math.Max((there.Latency + there.Jitter + back.Latency + back.Jitter).Ticks * 3 / 2, MinRetransmission);
        long wait = Math.Min(timeout << Math.Min(_attempts++, 10), Math.Max(MaxRetransmission, timeout));
        Network.Scheduler.Schedule(this, Network.Scheduler.Now + wait);
    }
}
