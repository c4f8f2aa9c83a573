using EventMesh.Events;

namespace EventMesh.Journal.Internal;

/// <summary>What was counted instead of recorded, until the next <see cref="ConnectionsSummarised"/>. Not thread-safe: the journal's lock guards it.</summary>
internal sealed class ConnectionCounts
{
    private static readonly CloseReason[] Reasons = Enum.GetValues<CloseReason>();

    private readonly long[] _closed = new long[Reasons.Length];
    private readonly long[] _left = new long[Reasons.Length];
    private long _newPeers;
    private long _opened;
    private long _joined;
    private long _updated;
    private long _discovered;
    private long _dialsFailed;
    private long _reverseChecks;
    private long _refused;
    private long _bytesSent;
    private long _bytesReceived;
    private long _messagesSent;
    private long _messagesReceived;

    /// <summary>Whether nothing was counted since the last <see cref="Take"/>.</summary>
    public bool IsEmpty { get; private set; } = true;

    /// <summary>Counts an event.</summary>
    public void Add(IMeshEvent data)
    {
        IsEmpty = false;
        switch (data)
        {
            case CertificateAccepted:
                _newPeers++;
                break;
            case ConnectionOpened:
                _opened++;
                break;
            case ConnectionClosed e:
                _closed[(int)e.Reason]++;
                _bytesSent += e.BytesSent;
                _bytesReceived += e.BytesReceived;
                _messagesSent += e.MessagesSent;
                _messagesReceived += e.MessagesReceived;
                break;
            case PeerJoined:
                _joined++;
                break;
            case PeerUpdated:
                _updated++;
                break;
            case PeerLeft e:
                _left[(int)e.Reason]++;
                break;
            case DialFailed:
                _dialsFailed++;
                break;
            case PeerDiscovered:
                _discovered++;
                break;
            case ReverseConnectivityConfirmed or ReverseConnectivityFailed:
                _reverseChecks++;
                break;
            case InboundRefused e:
                _refused += e.Count;
                break;
            default:
                break;
        }
    }

    /// <summary>What was counted since the last call; null for nothing.</summary>
    /// <param name="since">When the counting began.</param>
    public ConnectionsSummarised? Take(DateTimeOffset since)
    {
        if (IsEmpty)
            return null;
        var counted = new ConnectionsSummarised(
            since, _newPeers, _opened, List(_closed), _joined, List(_left), _updated, _discovered, _dialsFailed, _reverseChecks, _refused, _bytesSent,
            _bytesReceived, _messagesSent, _messagesReceived);
        Array.Clear(_closed);
        Array.Clear(_left);
        _newPeers = _opened = _joined = _updated = _discovered = _dialsFailed = _reverseChecks = _refused = 0;
        _bytesSent = _bytesReceived = _messagesSent = _messagesReceived = 0;
        IsEmpty = true;
        return counted;
    }

    private static CloseCount[] List(long[] counts) =>
        [.. Reasons.Where(reason => counts[(int)reason] > 0).Select(reason => new CloseCount(reason, counts[(int)reason]))];
}
