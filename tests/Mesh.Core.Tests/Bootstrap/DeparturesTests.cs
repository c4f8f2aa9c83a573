using EventMesh.Bootstrap.Internal;
using EventMesh.Core.Tests.Journal;
using EventMesh.Events;
using EventMesh.Transport.InMemory;
using Shouldly;
using Xunit;

namespace EventMesh.Core.Tests.Bootstrap;

public sealed class DeparturesTests
{
    private readonly VirtualTimeProvider _clock = new();

    [Fact]
    public void The_last_departure_counts()
    {
        var departures = new Departures(_clock);
        departures.Since(EventSamples.Peer(1)).ShouldBeNull();
        departures.Add(EventSamples.Peer(1), CloseReason.Trimmed);
        _clock.Advance(TimeSpan.FromSeconds(10));
        departures.WasTrimmed(EventSamples.Peer(1), TimeSpan.FromSeconds(11)).ShouldBeTrue();
        departures.WasTrimmed(EventSamples.Peer(1), TimeSpan.FromSeconds(10)).ShouldBeFalse();
        departures.Add(EventSamples.Peer(1), CloseReason.Lost);
        departures.WasTrimmed(EventSamples.Peer(1), TimeSpan.FromMinutes(1)).ShouldBeFalse();
        _clock.Advance(TimeSpan.FromSeconds(5));
        departures.Since(EventSamples.Peer(1)).ShouldBe(TimeSpan.FromSeconds(5));
    }

    [Fact]
    public void The_1024_latest_are_kept()
    {
        var departures = new Departures(_clock);
        departures.Add(EventSamples.Peer(0), CloseReason.Lost);
        for (int i = 1; i <= 1500; i++)
        {
            _clock.Advance(TimeSpan.FromSeconds(1));
            departures.Add(EventSamples.Peer(i % 1200), CloseReason.Lost);
        }
        departures.Since(EventSamples.Peer(400)).ShouldBeNull();
        departures.Since(EventSamples.Peer(1500 - 1200)).ShouldBe(TimeSpan.Zero);
        departures.Since(EventSamples.Peer(1000)).ShouldBe(TimeSpan.FromSeconds(500));
    }
}
