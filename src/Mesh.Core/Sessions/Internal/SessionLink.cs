namespace EventMesh.Sessions.Internal;

/// <summary>How far the application handshake of a connection is.</summary>
internal enum LinkStage
{
    /// <summary>We dialled and have sent our Hello.</summary>
    HelloSent,

    /// <summary>The peer dialled; its Hello is accepted, its verdict on ours is awaited.</summary>
    Accepted,

    /// <summary>Both sides have received Accepted.</summary>
    Standing,
}

/// <summary>A connection as the session's state sees it.</summary>
/// <param name="Connection">Its identity in this process and in the log.</param>
/// <param name="IsDialer">Whether we dialled it.</param>
/// <param name="LinkId">The identity of the pair, chosen by the dialer of its first connection.</param>
/// <param name="Stage">How far its handshake is.</param>
internal sealed record SessionLink(Guid Connection, bool IsDialer, Guid LinkId, LinkStage Stage);
