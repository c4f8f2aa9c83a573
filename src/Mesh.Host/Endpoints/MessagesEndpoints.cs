using EventMesh.Host.Messages;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace EventMesh.Host.Endpoints;

/// <summary><c>/v1/messages</c> and <c>/v1/requests</c>: send, ask, and watch what arrives.</summary>
internal static class MessagesEndpoints
{
    /// <summary>Messages in one batch at most.</summary>
    public const int MaxBatch = 10_000;

    /// <summary>Unanswered messages of one batch at most.</summary>
    public const int MaxInFlight = 1_024;

    /// <summary>Maps the endpoints.</summary>
    public static void MapMessages(this IEndpointRouteBuilder routes)
    {
        routes.MapPost("messages", async (SendBatchRequest request, IMesh mesh, CancellationToken cancellationToken) =>
            new SendBatchResponse(await SendAsync(request, mesh, cancellationToken)));

        routes.MapGet("messages", (HttpContext context, MessageTap tap, string? channel, CancellationToken cancellationToken) =>
        {
            // Made before the first byte of the answer: a client that has the headers misses nothing from then on.
            MessageSubscription subscription = tap.Subscribe(channel ?? "*");
            return new LineStream<MessageView>(subscription.ReadAllAsync, message => message.Id, "message", subscription);
        });

        routes.MapPost("requests", async (RequestRequest request, IMesh mesh, CancellationToken cancellationToken) =>
        {
            PeerId peer = PeerSelector.Select(request.To, mesh.Peers);
            ReadOnlyMemory<byte> response =
                await mesh.RequestAsync(peer, request.Channel, PayloadText.ToBytes(request.Text, request.Payload), cancellationToken);
            return new RequestResponse(peer, PayloadText.From(response.Span), response.ToArray());
        });
    }

    private static async Task<ReceiptView[]> SendAsync(SendBatchRequest batch, IMesh mesh, CancellationToken cancellationToken)
    {
        if (batch.Messages is not { Count: > 0 and <= MaxBatch })
            throw new MeshException(MeshError.InvalidConfiguration, $"A batch has 1 to {MaxBatch} messages.");
        if (batch.InFlight is < 1 or > MaxInFlight)
            throw new MeshException(MeshError.InvalidConfiguration, $"'inFlight' is 1 to {MaxInFlight}.");

        // All is checked before the first is sent: a batch with a mistake sends nothing.
        IReadOnlyList<PeerInfo> joined = mesh.Peers;
        (PeerId Peer, OutgoingMessage Message)[] sends =
        [
            .. batch.Messages.Select(m =>
            {
                OutgoingMessage message = new(m.Channel, PayloadText.ToBytes(m.Text, m.Payload)) { Delivery = m.Delivery, Token = m.Token };
                return (PeerSelector.Select(m.To, joined), message);
            }),
        ];
        var receipts = new ReceiptView[sends.Length];
        ParallelOptions options = new() { MaxDegreeOfParallelism = batch.InFlight, CancellationToken = cancellationToken };
        await Parallel.ForAsync(0, sends.Length, options, async (i, token) =>
        {
            (PeerId peer, OutgoingMessage message) = sends[i];
            SendReceipt receipt = await mesh.SendAsync(peer, message, token);
            receipts[i] = ReceiptView.From(peer, receipt, (string?)receipt.Token);
        });
        return receipts;
    }
}
