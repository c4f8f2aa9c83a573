namespace EventMesh.Transport.Ngtcp2.Internal;

/// <summary>Where packets belong: connection ids, and reset tokens, to what takes them. Loop thread only.</summary>
internal sealed class RouteTable
{
    private readonly Dictionary<ConnectionId, PacketTarget> _targets = [];

    // A stateless reset carries a random id: on a socket that many connections share only its token says whose it is.
    private readonly Dictionary<ConnectionId, PacketTarget> _resetTokens = [];

    /// <summary>Ids and tokens in the table.</summary>
    public int Count => _targets.Count + _resetTokens.Count;

    public IEnumerable<Connection> Connections => _targets.Values.OfType<Connection>().Distinct();

    public PacketTarget? Find(ConnectionId id) => _targets.GetValueOrDefault(id);

    public PacketTarget? FindByResetToken(ConnectionId token) => _resetTokens.GetValueOrDefault(token);

    public void Add(ConnectionId id, PacketTarget target)
    {
        // A peer may choose the id of another connection's first packet: the older one keeps it.
        if (_targets.TryAdd(id, target))
            target.Ids.Add(id);
    }

    public void Remove(ConnectionId id, PacketTarget target)
    {
        if (target.Ids.Remove(id))
            _targets.Remove(id);
    }

    public void AddResetToken(ConnectionId token, PacketTarget target)
    {
        if (_resetTokens.TryAdd(token, target))
            target.ResetTokens.Add(token);
    }

    public void RemoveResetToken(ConnectionId token, PacketTarget target)
    {
        if (target.ResetTokens.Remove(token))
            _resetTokens.Remove(token);
    }

    /// <summary>Takes out everything that leads to a target.</summary>
    public void Remove(PacketTarget target)
    {
        foreach (ConnectionId id in target.Ids)
            _targets.Remove(id);
        foreach (ConnectionId token in target.ResetTokens)
            _resetTokens.Remove(token);
        target.Ids.Clear();
        target.ResetTokens.Clear();
    }

    /// <summary>Leads everything of one target to another; the peer can't reset what has ended.</summary>
    public void Replace(PacketTarget target, PacketTarget successor)
    {
        foreach (ConnectionId id in target.Ids)
        {
            _targets[id] = successor;
            successor.Ids.Add(id);
        }
        target.Ids.Clear();
        Remove(target);
    }
}
