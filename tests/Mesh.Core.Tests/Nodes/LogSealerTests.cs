using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Node.Internal;
using EventMesh.Tests.Common;
using EventMesh.Trust;
using EventMesh.Trust.Internal;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Shouldly;
using Xunit;

namespace EventMesh.Core.Tests.Nodes;

public sealed class LogSealerTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("mesh-seal-").FullName;
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 11, 15, 12, 0, 0, TimeSpan.Zero));
    private readonly FakeJournal _journal = new();
    private readonly HeadStore _store = new();
    private readonly NodeIdentity _identity;

    public LogSealerTests() => _identity = NodeIdentity.LoadOrCreate(_directory, TimeProvider.System);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private LogSealer Sealer() => new(_journal, _store, _identity, TimeSpan.FromHours(1), _time, NullLogger.Instance);

    public void Dispose()
    {
        _identity.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task A_seal_is_the_signature_of_the_nodes_key_over_what_is_committed()
    {
        _store.Head = new LogHead(7, [.. Enumerable.Range(0, 32).Select(i => (byte)i)]);

        (await Sealer().SealAsync(Cancellation)).ShouldBeTrue();

        LogSealed made = _journal.All<LogSealed>().ShouldHaveSingleItem();
        (made.Place, made.Hash).ShouldBe((7, _store.Head.Hash));
        PeerId.FromPublicKey(made.PublicKey).ShouldBe(_identity.Peer);
        var head = new SignedHead(_identity.Node, made.Place, made.Hash, made.PublicKey, made.Signature);
        LogSeal.Verify(head).ShouldBeTrue();
        LogSeal.Verify(head with { Place = 8 }).ShouldBeFalse();
        LogSeal.Verify(head with { Node = new NodeId(Guid.NewGuid()) }).ShouldBeFalse();
        LogSeal.Verify(head with { Hash = new byte[32] }).ShouldBeFalse();
    }

    [Fact]
    public async Task A_log_in_which_only_the_seal_is_new_is_not_sealed_again()
    {
        LogSealer sealer = Sealer();
        _store.Head = new LogHead(0, new byte[32]);
        await sealer.SealAsync(Cancellation);
        long own = 1;
        _store.Head = new LogHead(own, new byte[32]);

        (await sealer.SealAsync(Cancellation)).ShouldBeFalse();
        _store.Head = new LogHead(own + 1, new byte[32]);
        (await sealer.SealAsync(Cancellation)).ShouldBeTrue();
    }

    [Fact]
    public async Task It_seals_at_the_interval_and_at_the_stop()
    {
        LogSealer sealer = Sealer();
        using var stop = new CancellationTokenSource();
        Task running = sealer.RunAsync(stop.Token);
        _store.Head = new LogHead(5, new byte[32]);
        _time.Advance(TimeSpan.FromMinutes(59));
        _journal.All<LogSealed>().ShouldBeEmpty();
        _time.Advance(TimeSpan.FromMinutes(1));
        await _store.AskedAsync(1);
        await stop.CancelAsync();
        await running;
        _store.Head = new LogHead(9, new byte[32]);

        await sealer.StopAsync(Cancellation);

        _journal.All<LogSealed>().Select(made => made.Place).ShouldBe([5, 9]);
    }

    [Fact]
    public async Task It_seals_when_a_month_closes_and_at_the_interval_from_then_on()
    {
        _time.SetUtcNow(new DateTimeOffset(2026, 11, 30, 23, 40, 0, TimeSpan.Zero));
        LogSealer sealer = Sealer();
        using var stop = new CancellationTokenSource();
        Task running = sealer.RunAsync(stop.Token);
        _store.Head = new LogHead(5, new byte[32]);
        _time.Advance(TimeSpan.FromMinutes(20));
        _journal.All<LogSealed>().ShouldBeEmpty();

        _time.Advance(TimeSpan.FromSeconds(5));
        await _store.AskedAsync(1);
        await stop.CancelAsync();
        await running;

        _journal.All<LogSealed>().ShouldHaveSingleItem().Place.ShouldBe(5);
    }

    [Theory]
    [InlineData("2026-11-30T23:40:00Z", 1205)]
    [InlineData("2026-12-01T00:00:00Z", 5)]
    [InlineData("2026-12-01T00:00:05Z", 3600)]
    [InlineData("2026-12-31T23:59:59Z", 6)]
    [InlineData("2026-12-15T12:00:00Z", 3600)]
    [InlineData("2026-12-01T00:00:04.9991006Z", 0.001)]
    public void The_next_seal_is_at_the_interval_or_at_the_months_end(string now, double seconds) =>
        LogSealer.Next(DateTimeOffset.Parse(now, System.Globalization.CultureInfo.InvariantCulture), TimeSpan.FromHours(1)).ShouldBe(TimeSpan.FromSeconds(seconds));

    [Fact]
    public async Task A_store_without_a_chain_or_that_is_away_is_no_failure()
    {
        LogSealer sealer = Sealer();
        (await sealer.SealAsync(Cancellation)).ShouldBeFalse();
        _store.Failure = new MeshException(MeshError.StoreUnavailable, "away");

        await sealer.StopAsync(Cancellation);

        _journal.All<LogSealed>().ShouldBeEmpty();
    }

    private sealed class HeadStore : IEventStore
    {
        private readonly SemaphoreSlim _asked = new(0);

        public LogHead? Head { get; set; }

        public MeshException? Failure { get; set; }

        public string Name => "heads";

        public bool IsExternal => false;

        public async Task AskedAsync(int times)
        {
            for (int i = 0; i < times; i++)
                (await _asked.WaitAsync(TimeSpan.FromMinutes(2), Cancellation)).ShouldBeTrue();
        }

        public Task<LogHead?> GetHeadAsync(NodeId node, CancellationToken cancellationToken)
        {
            _asked.Release();
            return Failure is null ? Task.FromResult(Head) : Task.FromException<LogHead?>(Failure);
        }

        public Task OpenAsync(NodeId node, string dataDirectory, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<LogPosition> GetPositionAsync(NodeId node, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task ClaimEpochAsync(NodeId node, RecordedEvent started, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task AppendAsync(NodeId node, IReadOnlyList<RecordedEvent> batch, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<IReadOnlySet<Guid>> FindAsync(NodeId node, IReadOnlyList<Guid> ids, CancellationToken cancellationToken) => throw new NotSupportedException();

        public IAsyncEnumerable<RecordedEvent> ReadAsync(NodeId node, long afterNodeSeq, IReadOnlySet<StreamFamily>? families, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public ValueTask DisposeAsync()
        {
            _asked.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
