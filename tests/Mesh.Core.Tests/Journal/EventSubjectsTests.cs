using System.Collections;
using System.Text.Json;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Projections;
using Shouldly;
using Xunit;

namespace EventMesh.Core.Tests.Journal;

public sealed class EventSubjectsTests
{
    public static TheoryData<string> Names => new(EventRegistry.Default.All.Select(descriptor => descriptor.WireName));

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_peer_in_the_content_of_an_event_is_a_subject(string name)
    {
        EventDescriptor descriptor = EventRegistry.Default.Get(name);
        IMeshEvent[] samples = [.. EventSamples.All.Where(data => data.GetType() == descriptor.Type)];
        samples.ShouldNotBeEmpty($"'{name}' has no sample");
        foreach (IMeshEvent data in samples)
        {
            // It repeats what other events have said.
            if (data is PeersSegmentOpened or CacheSegmentOpened)
            {
                EventSubjects.Of(data).ShouldBeEmpty();
                continue;
            }
            using JsonDocument json = JsonDocument.Parse(MeshJson.Serialize(data));
            EventSubjects.Of(data).Order().ShouldBe(PeersIn(json.RootElement).Distinct().Order());
        }
    }

    // A collection of peers would need a reader of its own, and an index: whoever adds one is told here.
    [Theory]
    [MemberData(nameof(Names))]
    public void Events_name_peers_in_plain_fields(string name) =>
        EventRegistry.Default.Get(name).Type.GetProperties()
            .Where(property => property.PropertyType != typeof(string) && property.PropertyType.IsAssignableTo(typeof(IEnumerable))
                && property.PropertyType.GenericTypeArguments.Contains(typeof(PeerId)))
            .ShouldBeEmpty();

    [Fact]
    public void A_peer_is_named_once_and_no_peer_is_none()
    {
        PeerId one = EventSamples.Peer(1), two = EventSamples.Peer(2);
        EventSubjects.Of(new CacheEntryConfirmed(one, two)).ShouldBe([one, two]);
        EventSubjects.Of(new CacheEntryConfirmed(one, null)).ShouldBe([one]);
        EventSubjects.Of(new CacheEntryConfirmed(one, one)).ShouldBe([one]);
        EventSubjects.Of(new SuccessionDisputed(one, two, EventSamples.Peer(3))).Count.ShouldBe(3);
        EventSubjects.Of(new NodeStopped("x")).ShouldBeEmpty();
    }

    private static IEnumerable<PeerId> PeersIn(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().SelectMany(property => PeersIn(property.Value)),
        JsonValueKind.Array => element.EnumerateArray().SelectMany(PeersIn),
        JsonValueKind.String when PeerId.TryParse(element.GetString(), out PeerId peer) => [peer],
        _ => [],
    };
}
