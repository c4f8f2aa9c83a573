using System.Text.Json;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Journal.Internal;
using EventMesh.Trust.Internal;

namespace EventMesh.Marten.Audit.Internal;

/// <summary>Collects the seals of a log, and checks that the node's key made them: the key that the epoch's first event or a change of the key names.</summary>
internal sealed class SealWalk(NodeId node, EventRegistry registry, AuditFindings findings)
{
    private readonly string _started = registry.Get(typeof(NodeStarted)).WireName;
    private readonly string _rotated = registry.Get(typeof(IdentityRotated)).WireName;
    private readonly string _sealed = registry.Get(typeof(LogSealed)).WireName;
    private readonly HashSet<string> _keys = new(StringComparer.Ordinal);
    private readonly List<(long At, SignedHead Head)> _seals = [];

    /// <summary>The seals with a good signature, each with the place of its event.</summary>
    public IReadOnlyList<(long At, SignedHead Head)> Seals => _seals;

    /// <summary>How many were looked at.</summary>
    public int Count { get; private set; }

    public void Step(AuditRow row)
    {
        if (row.Type == _sealed)
        {
            Count++;
            Check(row);
        }
        else if (row.Type == _started || row.Type == _rotated)
        {
            // A process has one key from its start; it may name a second when it tells of a change.
            if (row.Type == _started)
                _keys.Clear();
            using JsonDocument content = JsonDocument.Parse(row.Data);
            if (content.RootElement.TryGetProperty(row.Type == _started ? "peer" : "successor", out JsonElement peer) && peer.ValueKind == JsonValueKind.String)
                _keys.Add(peer.GetString()!);
        }
    }

    private void Check(AuditRow row)
    {
        if (Read(row) is not { Hash.Length: EventChain.Size } head || head.Place >= row.Place || head.Place < 1)
        {
            findings.Add(AuditProblem.ForgedSeal, row.Place, "the seal has not the form of one");
            return;
        }
        if (!_keys.Contains(PeerId.FromPublicKey(head.PublicKey).ToString()))
            findings.Add(AuditProblem.ForgedSeal, row.Place, $"the key of the seal over place {head.Place} is not the node's");
        else if (!LogSeal.Verify(head))
            findings.Add(AuditProblem.ForgedSeal, row.Place, $"the signature of the seal over place {head.Place} is false");
        else
            _seals.Add((row.Place, head));
    }

    private SignedHead? Read(AuditRow row)
    {
        try
        {
            var data = (LogSealed)MeshJson.Deserialize(registry.Get(row.Type), row.Data);
            return new SignedHead(node, data.Place, data.Hash, data.PublicKey, data.Signature);
        }
        catch (MeshException)
        {
            return null;
        }
    }
}
