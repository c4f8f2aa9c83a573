using System.Globalization;

namespace EventMesh.Host.Demo;

/// <summary>Counts the arrivals of numbered messages and of their replies: each exactly once, from the right peer. Safe for concurrent use.</summary>
internal sealed class ExchangeCheck
{
    private readonly Lock _mutex = new();
    private readonly Dictionary<(PeerId From, PeerId To), Flow> _flows = [];
    private readonly int _perPair;
    private readonly TaskCompletionSource _complete = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _exchanged;
    private string? _fault;

    public ExchangeCheck(IReadOnlyList<PeerId> peers, int perPair)
    {
        _perPair = perPair;
        foreach (PeerId from in peers)
        {
            foreach (PeerId to in peers.Where(p => p != from))
                _flows[(from, to)] = new Flow(new bool[perPair], new bool[perPair]);
        }
    }

    /// <summary>How many messages there are to be.</summary>
    public int Expected => _flows.Count * _perPair;

    /// <summary>Messages that arrived and were answered, each exactly once.</summary>
    public int Exchanged
    {
        get
        {
            lock (_mutex) return _exchanged;
        }
    }

    /// <summary>The first thing that should not have been; null while all is well.</summary>
    public string? Fault
    {
        get
        {
            lock (_mutex) return _fault;
        }
    }

    /// <summary>Completes with the last reply, or with the first fault.</summary>
    public Task Complete => _complete.Task;

    /// <summary>The content of a message.</summary>
    public static string Text(PeerId from, PeerId to, int number) => string.Create(CultureInfo.InvariantCulture, $"{from} {to} {number}");

    /// <summary>A message arrived.</summary>
    /// <param name="from">Who sent it, as TLS proved.</param>
    /// <param name="at">Where it arrived.</param>
    /// <param name="text">Its content.</param>
    public void Arrived(PeerId from, PeerId at, string? text) => Mark(from, at, text, flow => flow.Arrived, "message");

    /// <summary>A reply arrived.</summary>
    /// <param name="from">Who sent it, as TLS proved.</param>
    /// <param name="at">Where it arrived: at the sender of the message.</param>
    /// <param name="text">Its content, the message's.</param>
    public void Answered(PeerId from, PeerId at, string? text) => Mark(at, from, text, flow => flow.Answered, "reply");

    private void Mark(PeerId from, PeerId to, string? text, Func<Flow, bool[]> numbers, string what)
    {
        string[] parts = text?.Split(' ') ?? [];
        lock (_mutex)
        {
            if (parts.Length != 3 || parts[0] != from.ToString() || parts[1] != to.ToString()
                || !int.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out int number) || number >= _perPair
                || !_flows.TryGetValue((from, to), out Flow? flow))
            {
                Fail($"a {what} arrived that nobody sent");
                return;
            }
            bool[] seen = numbers(flow);
            if (seen[number])
            {
                Fail($"{what} {number} from {from.ToShortString()} to {to.ToShortString()} arrived twice");
                return;
            }
            seen[number] = true;
            if (!flow.Arrived[number] || !flow.Answered[number]) return;
            if (++_exchanged == Expected) _complete.TrySetResult();
        }
    }

    private void Fail(string fault)
    {
        _fault ??= fault;
        _complete.TrySetResult();
    }

    private sealed record Flow(bool[] Arrived, bool[] Answered);
}
