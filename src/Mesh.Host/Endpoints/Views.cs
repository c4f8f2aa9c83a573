using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using EventMesh.Node;
using EventMesh.Projections;

namespace EventMesh.Host.Endpoints;

// What the control interface answers. Published: members are added, never changed or taken away within v1.

/// <summary>The node.</summary>
internal sealed record NodeView(
    PeerId Peer, string NodeId, Guid Instance, PeerKind Kind, string Mesh, string Version, MeshNodeState State, string Listen, string? Observed, Reachability Reachability,
    string Transport, string TransportReason, string Store, string DataDirectory, int Epoch, int Peers, int ProcessId);

/// <summary>A joined peer.</summary>
internal sealed record PeerView(
    PeerId Peer, PeerKind Kind, Guid Instance, IReadOnlyList<string> Endpoints, string Remote, string Agent, DateTimeOffset JoinedAt)
{
    public static PeerView From(PeerInfo peer) =>
        new(peer.Peer, peer.Kind, peer.Instance, [.. peer.Endpoints.Select(e => e.ToString())], peer.Remote.ToString(), peer.Agent, peer.JoinedAt);
}

/// <summary>An entry of the bootstrap cache.</summary>
internal sealed record CacheEntryView(
    PeerId Peer, IReadOnlyList<string> Endpoints, ConnectionDirection Origin, DateTimeOffset AddedAt, DateTimeOffset LastConnectedAt, bool IsConfirmed,
    int Failures)
{
    public static CacheEntryView From(BootstrapCacheEntry entry) => new(
        entry.Peer, [.. entry.Endpoints.Select(e => e.ToString())], entry.Origin, entry.AddedAt, entry.LastConnectedAt, entry.IsConfirmed, entry.Failures);
}

/// <summary>An event of the log.</summary>
/// <param name="Seq">Its place: what <c>after</c> resumes from.</param>
/// <param name="Epoch">The process start that recorded it.</param>
/// <param name="Time">When.</param>
/// <param name="Id">Its identity.</param>
/// <param name="Event">Its name on disk, <c>peer.joined.v1</c>.</param>
/// <param name="Stream">The family of its stream.</param>
/// <param name="TraceParent">The W3C trace context it was recorded under.</param>
/// <param name="Data">What happened.</param>
internal sealed record EventView(
    long Seq, int Epoch, DateTimeOffset Time, Guid Id, string Event, StreamFamily Stream,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? TraceParent, JsonElement Data);

/// <summary>A request to dial.</summary>
/// <param name="Address"><c>address:port</c>, or <c>name:port</c>.</param>
/// <param name="Expected">The peer that has to be there; null for any.</param>
internal sealed record ConnectRequest(string Address, PeerId? Expected = null);

/// <summary>A message to send: exactly one of <paramref name="Text"/> and <paramref name="Payload"/>.</summary>
/// <param name="To">The peer; a prefix of at least 4 characters when only one joined peer has it.</param>
/// <param name="Channel">Which handlers it is for.</param>
/// <param name="Text">The content as text, sent as UTF-8.</param>
/// <param name="Payload">The content in base64.</param>
/// <param name="Delivery">What to wait for.</param>
/// <param name="Token">Comes back in the receipt.</param>
internal sealed record SendRequest(
    string To, string Channel, string? Text = null, byte[]? Payload = null, DeliveryMode Delivery = DeliveryMode.Acknowledged, string? Token = null);

/// <summary>Messages to send.</summary>
/// <param name="Messages">At most 10,000, and 64 MiB of JSON.</param>
/// <param name="InFlight">How many may be unanswered at a time: 1 to 1,024. Defaults to 64.</param>
internal sealed record SendBatchRequest(IReadOnlyList<SendRequest> Messages, int InFlight = 64);

/// <summary>How the messages of a batch ended, in their order.</summary>
internal sealed record SendBatchResponse(IReadOnlyList<ReceiptView> Receipts);

/// <summary>How a send ended.</summary>
internal sealed record ReceiptView(PeerId Peer, string? Id, SendOutcome Outcome, MeshError? Error, string? Token)
{
    public static ReceiptView From(PeerId peer, SendReceipt receipt, string? token) =>
        new(peer, receipt.Id.Sequence == 0 ? null : receipt.Id.ToString(), receipt.Outcome, receipt.Error, token);
}

/// <summary>A request to a peer: exactly one of <paramref name="Text"/> and <paramref name="Payload"/>.</summary>
internal sealed record RequestRequest(string To, string Channel, string? Text = null, byte[]? Payload = null);

/// <summary>The response: <paramref name="Text"/> is null when the content is not UTF-8.</summary>
internal sealed record RequestResponse(PeerId Peer, string? Text, byte[] Payload);

/// <summary>A received message: <paramref name="Text"/> is null when the content is not UTF-8.</summary>
internal sealed record MessageView(string Id, PeerId From, string Channel, DateTimeOffset ReceivedAt, string? Text, byte[] Payload);

/// <summary>A key that several others claim to follow.</summary>
internal sealed record DisputeView(PeerId Predecessor, IReadOnlyList<PeerId> Claimants);

/// <summary>A decision on a disputed key.</summary>
/// <param name="Predecessor">The key, or the beginning of its identity.</param>
/// <param name="Successor">Its true successor, or the beginning of it; null for none.</param>
internal sealed record ResolveRequest(string Predecessor, string? Successor);

/// <summary>A decision that was taken.</summary>
internal sealed record DecisionView(PeerId Predecessor, PeerId? Successor);

/// <summary>Content as text.</summary>
internal static class PayloadText
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The text, or null when the content is not UTF-8.</summary>
    public static string? From(ReadOnlySpan<byte> payload)
    {
        try
        {
            return Strict.GetString(payload);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    /// <summary>The bytes of exactly one of the two forms.</summary>
    /// <exception cref="MeshException"><see cref="MeshError.InvalidConfiguration"/>: none or both are given.</exception>
    public static byte[] ToBytes(string? text, byte[]? payload) => (text, payload) switch
    {
        (not null, null) => Encoding.UTF8.GetBytes(text),
        (null, not null) => payload,
        _ => throw new MeshException(MeshError.InvalidConfiguration, "A message has either 'text' or 'payload' (base64)."),
    };
}
