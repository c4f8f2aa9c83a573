using EventMesh.Identity;
using EventMesh.Messaging;
using EventMesh.Sessions.Internal;
using Shouldly;
using Xunit;

namespace EventMesh.Core.Tests.Sessions;

public sealed class SeenMessagesTests
{
    private int _handled;

    [Fact]
    public async Task A_message_is_handled_once_and_each_repetition_gets_the_first_result()
    {
        var seen = new SeenMessages(4);
        var first = new TaskCompletionSource<MeshError?>();

        Task<MeshError?> result = seen.HandleOnce(Id(1, 1), () => first.Task, out bool wasRepeated);
        Task<MeshError?> during = seen.HandleOnce(Id(1, 1), Handle, out bool isRepeated);
        first.SetResult(MeshError.HandlerFailed);
        Task<MeshError?> after = seen.HandleOnce(Id(1, 1), Handle, out _);

        wasRepeated.ShouldBeFalse();
        isRepeated.ShouldBeTrue();
        foreach (Task<MeshError?> one in new[] { result, during, after }) (await one).ShouldBe(MeshError.HandlerFailed);
        _handled.ShouldBe(0);
    }

    [Fact]
    public async Task Only_the_last_messages_of_a_peer_are_remembered()
    {
        var seen = new SeenMessages(4, maxOfPeer: 3);
        for (ulong i = 1; i <= 4; i++) await seen.HandleOnce(Id(1, i), Handle, out _);

        await seen.HandleOnce(Id(1, 4), Handle, out bool last);
        await seen.HandleOnce(Id(1, 1), Handle, out bool forgotten);

        last.ShouldBeTrue();
        forgotten.ShouldBeFalse();
        _handled.ShouldBe(5);
    }

    [Fact]
    public async Task The_peer_that_was_silent_for_longest_gives_way_and_a_new_process_begins_anew()
    {
        var seen = new SeenMessages(2);
        await seen.HandleOnce(Id(1, 1), Handle, out _);
        await seen.HandleOnce(Id(2, 1), Handle, out _);
        await seen.HandleOnce(Id(1, 2), Handle, out _);
        await seen.HandleOnce(Id(3, 1), Handle, out _);

        await seen.HandleOnce(Id(1, 1), Handle, out bool kept);
        await seen.HandleOnce(Id(2, 1), Handle, out bool gone);
        await seen.HandleOnce(Id(2, 1) with { Instance = Guid.NewGuid() }, Handle, out bool restarted);

        kept.ShouldBeTrue();
        gone.ShouldBeFalse();
        restarted.ShouldBeFalse();
    }

    private static MessageId Id(byte peer, ulong sequence) => new(new PeerId([.. Enumerable.Repeat(peer, 32)]), Guid.Empty, sequence);

    private Task<MeshError?> Handle()
    {
        _handled++;
        return Task.FromResult<MeshError?>(null);
    }
}
