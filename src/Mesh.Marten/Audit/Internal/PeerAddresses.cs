using System.Net;
using System.Text.Json;

namespace EventMesh.Marten.Audit.Internal;

/// <summary>Which addresses the events of a log show a peer at, and which of them no other peer.</summary>
internal sealed class PeerAddresses(string peer)
{
    // By the names on disk that the content has them under.
    private static readonly string[] Peers = ["peer", "expected", "found"];
    private static readonly string[] Endpoints = ["endpoint", "endpoints", "remote"];

    private readonly HashSet<IPAddress> _own = [];
    private readonly HashSet<IPAddress> _others = [];

    /// <summary>The peer's addresses.</summary>
    public IReadOnlySet<IPAddress> Own => _own;

    /// <summary>Those of them at which no other peer was seen.</summary>
    public IReadOnlySet<IPAddress> Only => _own.Except(_others).ToHashSet();

    /// <summary>Addresses of other peers.</summary>
    public IReadOnlySet<IPAddress> Others => _others;

    public void Add(JsonElement content)
    {
        if (content.ValueKind != JsonValueKind.Object)
            return;
        // What opens a month has a part for each peer.
        foreach (JsonProperty property in content.EnumerateObject())
        {
            if (property.Value.ValueKind == JsonValueKind.Object)
                Add(property.Value);
            if (property.Value.ValueKind != JsonValueKind.Array)
                continue;
            foreach (JsonElement each in property.Value.EnumerateArray())
                Add(each);
        }
        if (PeerOf(content) is not { } of)
            return;
        HashSet<IPAddress> into = of == peer ? _own : _others;
        foreach (string name in Endpoints)
        {
            if (!content.TryGetProperty(name, out JsonElement value))
                continue;
            foreach (JsonElement each in value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray()] : new[] { value })
            {
                if (each.ValueKind == JsonValueKind.String && IPEndPoint.TryParse(each.GetString()!, out IPEndPoint? endpoint)
                    && !Pseudonyms.IsOne(endpoint.Address))
                    into.Add(endpoint.Address);
            }
        }
    }

    /// <summary>Whether an event tells of the peer's own addresses: where it is, was dialled or was seen.</summary>
    public bool IsOf(JsonElement content) => PeerOf(content) == peer;

    private static string? PeerOf(JsonElement content)
    {
        if (content.ValueKind != JsonValueKind.Object)
            return null;
        // Of several the last: who was seen where another was expected.
        return Peers.Select(name => content.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null)
            .LastOrDefault(value => value is not null);
    }
}
