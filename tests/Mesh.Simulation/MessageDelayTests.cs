using System.Collections.Concurrent;
using EventMesh.Messaging;
using EventMesh.Tests.Common.Nodes;
using Shouldly;
using Xunit;

namespace EventMesh.Simulation;

/// <summary>How long messages are on their way; whole nodes in virtual time.</summary>
public sealed class MessageDelayTests : IAsyncDisposable
{
    private readonly VirtualMesh _mesh = new();

    [Fact]
    public async Task A_message_does_not_wait_for_others_where_the_round_trip_is_long()
    {
        TestNode sender = await _mesh.StartAsync("10.0.0.1");
        TestNode receiver = await _mesh.StartAsync("10.0.0.2");
        await _mesh.RunAsync(sender.ConnectAsync(receiver));
        await _mesh.UntilAsync(() => receiver.Mesh.Peers.Count == 1, "joined");
        var arrived = new ConcurrentDictionary<byte, DateTimeOffset>();
        receiver.Dispatcher.OnMessage = message =>
        {
            arrived[message.Payload.Span[0]] = _mesh.Clock.GetUtcNow();
            return Task.FromResult<MeshError?>(null);
        };

        // Thirty under way at a time: the acknowledgement of the first comes after 10 ms.
        var sent = new List<DateTimeOffset>();
        var receipts = new List<Task<SendReceipt>>();
        for (byte i = 0; i < 100; i++)
        {
            sent.Add(_mesh.Clock.GetUtcNow());
            receipts.Add(sender.Mesh.SendAsync(receiver.Id, new OutgoingMessage("delay", new[] { i })).AsTask());
            await _mesh.AdvanceAsync(TimeSpan.FromMilliseconds(1.0 / 3));
        }

        (await _mesh.RunAsync(Task.WhenAll(receipts))).ShouldAllBe(receipt => receipt.Outcome == SendOutcome.Acknowledged);
        for (byte i = 0; i < 100; i++) (arrived[i] - sent[i]).ShouldBeLessThan(TimeSpan.FromMilliseconds(6), $"message {i}");
    }

    public ValueTask DisposeAsync() => _mesh.DisposeAsync();
}
