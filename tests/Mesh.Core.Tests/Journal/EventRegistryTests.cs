using EventMesh.Events;
using EventMesh.Journal;
using Shouldly;
using Xunit;

namespace EventMesh.Core.Tests.Journal;

public sealed class EventRegistryTests
{
    public static TheoryData<Type> EventTypes =>
        [.. typeof(IMeshEvent).Assembly.GetTypes().Where(type => type.IsClass && type.IsAssignableTo(typeof(IMeshEvent)))];

    [Theory]
    [MemberData(nameof(EventTypes))]
    public void Every_event_is_sealed_and_has_a_name_on_disk(Type type)
    {
        type.IsSealed.ShouldBeTrue();
        var attribute = (MeshEventAttribute?)Attribute.GetCustomAttribute(type, typeof(MeshEventAttribute));
        attribute.ShouldNotBeNull();
        attribute.Name.ShouldMatch("^[a-z]+(\\.[a-z]+(-[a-z]+)*)+$");
        attribute.Version.ShouldBeGreaterThan(0);
        EventDescriptor descriptor = EventRegistry.Default.Get(type);
        descriptor.ShouldBe(new EventDescriptor(attribute.WireName, type, attribute.Family));
        EventRegistry.Default.Get(descriptor.WireName).ShouldBeSameAs(descriptor);
    }

    [Fact]
    public void The_default_registry_holds_all_events_of_the_abstractions() =>
        EventRegistry.Default.All.Count.ShouldBe(EventTypes.Count);

    [Fact]
    public void Two_events_of_one_name_are_refused() =>
        Should.Throw<ArgumentException>(() => new EventRegistry([typeof(PeerLeft), typeof(Impostor)])).Message.ShouldContain("peer.left.v1");

    [Fact]
    public void An_event_without_a_name_is_refused() =>
        Should.Throw<ArgumentException>(() => new EventRegistry([typeof(Nameless)])).Message.ShouldContain(nameof(MeshEventAttribute));

    [Fact]
    public void An_event_that_could_be_derived_from_is_refused() =>
        Should.Throw<ArgumentException>(() => new EventRegistry([typeof(Open)])).Message.ShouldContain("sealed");

    [Fact]
    public void An_unknown_name_on_disk_is_an_incompatible_store()
    {
        Should.Throw<MeshException>(() => EventRegistry.Default.Get("peer.left.v9")).Error.ShouldBe(MeshError.StoreIncompatible);
        EventRegistry.Default.TryGet("peer.left.v9", out _).ShouldBeFalse();
    }

    [Fact]
    public void A_type_that_is_no_event_is_refused() => Should.Throw<ArgumentException>(() => EventRegistry.Default.Get(typeof(string)));

    [Theory]
    [InlineData(StreamFamily.Node, "node")]
    [InlineData(StreamFamily.Peers, "peers/2026-10")]
    [InlineData(StreamFamily.Trust, "trust")]
    [InlineData(StreamFamily.Cache, "cache/2026-10")]
    [InlineData(StreamFamily.Plugins, "plugins")]
    [InlineData(StreamFamily.Topics, "topics")]
    public void A_stream_is_named_by_family_and_month_of_utc(StreamFamily family, string key) =>
        EventRegistry.StreamKey(family, new DateTimeOffset(2026, 11, 1, 1, 59, 59, TimeSpan.FromHours(2))).ShouldBe(key);

    [Fact]
    public void A_recorded_event_belongs_to_the_stream_of_its_family_and_time()
    {
        var recorded = new RecordedEvent(Guid.NewGuid(), 1, 1, new DateTimeOffset(2026, 2, 3, 0, 0, 0, TimeSpan.Zero), EventSamples.Opened(1), null);
        EventRegistry.Default.StreamKey(recorded).ShouldBe("peers/2026-02");
    }

    [MeshEvent("peer.left", 1, StreamFamily.Peers)]
    private sealed record Impostor : IMeshEvent;

    private sealed record Nameless : IMeshEvent;

    [MeshEvent("open.event", 1, StreamFamily.Node)]
#pragma warning disable CA1852 // That it is not sealed is the point.
    private record Open : IMeshEvent;
#pragma warning restore CA1852
}
