using System.Runtime.Versioning;
using EventMesh.Transport;
using EventMesh.Transport.Quic.Internal;
using Shouldly;
using Xunit;

namespace EventMesh.Core.Tests.Transport;

[SupportedOSPlatform("linux")]
[SupportedOSPlatform("macos")]
[SupportedOSPlatform("windows")]
public sealed class StreamCapacityTests
{
    private readonly StreamCapacity _capacity = new();
    private int _opened;

    [Fact]
    public async Task Requests_wait_for_capacity_and_open_in_their_order()
    {
        _capacity.Add(1, 0);
        Task<int> first = RequestAsync();
        Task<int> second = RequestAsync();
        Task<int> third = RequestAsync();

        first.IsCompleted.ShouldBeTrue();
        _opened.ShouldBe(1);
        _capacity.Add(2, 0);

        (await Task.WhenAll(first, second, third).WaitAsync(TimeSpan.FromMinutes(2))).ShouldBe([1, 2, 3]);
    }

    [Fact]
    public async Task Cancelled_request_takes_no_capacity()
    {
        using var cancel = new CancellationTokenSource();
        Task<int> cancelled = RequestAsync(cancel.Token);
        Task<int> next = RequestAsync();

        await cancel.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => cancelled);
        _capacity.Add(1, 0);

        (await next.WaitAsync(TimeSpan.FromMinutes(2))).ShouldBe(1);
    }

    [Fact]
    public void Directions_do_not_share()
    {
        _capacity.Add(0, 5);

        RequestAsync().IsCompleted.ShouldBeFalse();
        _opened.ShouldBe(0);
    }

    [Fact]
    public async Task Failure_ends_what_waits_and_what_comes()
    {
        Task<int> waiting = RequestAsync();

        _capacity.Fail(() => new MeshException(MeshError.IdleTimeout, "idle"));

        (await Should.ThrowAsync<MeshException>(() => waiting)).Error.ShouldBe(MeshError.IdleTimeout);
        (await Should.ThrowAsync<MeshException>(() => RequestAsync())).Error.ShouldBe(MeshError.IdleTimeout);
        _capacity.Add(9, 9);
        _opened.ShouldBe(0);
    }

    private Task<int> RequestAsync(CancellationToken cancellationToken = default) =>
        _capacity.RequestAsync(StreamDirection.Unidirectional, () => Task.FromResult(++_opened), cancellationToken);
}
