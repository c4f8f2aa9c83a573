namespace EventMesh.Transport.InMemory.Internal;

/// <summary>Idle time-out and keep-alive. One entry in the queue per end, looked at again when it is due, so activity costs nothing.</summary>
internal sealed partial class InMemoryConnection : IScheduledWork
{
    private long _idleTimeout;
    private long _lastActivity;
    private long _lastReceived;
    private long _lastPing;
    private bool _hasSentSinceReceive;

    void IScheduledWork.Run()
    {
        lock (Mutex)
        {
            if (HasEnded)
                return;
            long now = Scheduler.Now;
            if (now - _lastActivity >= _idleTimeout)
            {
                End(new TransportCloseInfo(MeshError.IdleTimeout, null, $"Nothing was received for {TimeSpan.FromTicks(_idleTimeout).TotalSeconds:0.###} s."),
                    forPeer: null);
                return;
            }
            if (NextPing() <= now)
            {
                _lastPing = now;
                Send(new Packet(this, PacketKind.Ping));
            }
            ScheduleTimer();
        }
    }

    private void StartTimers()
    {
        _idleTimeout = Math.Min(Options.IdleTimeout.Ticks, PeerOptions.IdleTimeout.Ticks);
        _lastPing = Scheduler.Now;
        ScheduleTimer();
    }

    private void ScheduleTimer() => Scheduler.Schedule(this, Math.Min(_lastActivity + _idleTimeout, NextPing()));

    private long NextPing() => Options.KeepAliveInterval > TimeSpan.Zero
        ? Math.Max(_lastReceived, _lastPing) + Options.KeepAliveInterval.Ticks : long.MaxValue;
}
