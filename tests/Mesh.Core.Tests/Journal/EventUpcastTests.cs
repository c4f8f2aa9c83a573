using System.Text;
using System.Text.Json.Nodes;
using EventMesh.Conformance;
using EventMesh.Events;
using EventMesh.Journal;
using EventMesh.Journal.Internal;
using EventMesh.Projections;
using Microsoft.Extensions.Logging.Abstractions;
using Shouldly;
using Xunit;

namespace EventMesh.Core.Tests.Journal;

/// <summary>What an older program wrote is read in the newest shape, wherever it lies.</summary>
public sealed class EventUpcastTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("mesh-upcast-").FullName;

    private static readonly EventUpcast OneToTwo = new("test.named", 1, older =>
    {
        string[] parts = older["name"]!.GetValue<string>().Split(' ');
        return new JsonObject { ["first"] = parts[0], ["last"] = parts[1] };
    });

    private static readonly EventUpcast TwoToThree = new("test.named", 2, older =>
    {
        older["length"] = older["first"]!.GetValue<string>().Length;
        return older;
    });

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void Each_version_goes_step_by_step_to_the_newest()
    {
        EventRegistry registry = new([typeof(Named)], [OneToTwo, TwoToThree]);

        Read(registry, "test.named.v1", """{"name":"Ada Lovelace"}""").ShouldBe(new Named("Ada", "Lovelace", 3));
        Read(registry, "test.named.v2", """{"first":"Ada","last":"Lovelace"}""").ShouldBe(new Named("Ada", "Lovelace", 3));
        Read(registry, "test.named.v3", """{"first":"Ada","last":"Lovelace","length":7}""").ShouldBe(new Named("Ada", "Lovelace", 7));
        registry.Get(typeof(Named)).WireName.ShouldBe("test.named.v3", "only the newest is written");
        registry.All.ShouldHaveSingleItem();
        registry.Readable.Select(descriptor => descriptor.WireName).ShouldBe(["test.named.v1", "test.named.v2", "test.named.v3"]);
    }

    [Fact]
    public void A_newer_version_than_the_program_knows_is_refused() =>
        Should.Throw<MeshException>(() => new EventRegistry([typeof(Named)], [TwoToThree]).Get("test.named.v4")).Error.ShouldBe(MeshError.StoreIncompatible);

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"name":7}""")]
    [InlineData("""{"name":"Ada"}""")]
    [InlineData("[]")]
    [InlineData("null")]
    public void Content_that_an_upcast_can_not_read_is_an_incompatible_store(string json) =>
        Should.Throw<MeshException>(() => Read(new EventRegistry([typeof(Named)], [OneToTwo, TwoToThree]), "test.named.v1", json)).Error
            .ShouldBe(MeshError.StoreIncompatible);

    [Fact]
    public void A_gap_between_versions_and_a_second_way_are_mistakes()
    {
        Should.Throw<ArgumentException>(() => new EventRegistry([typeof(Named)], [OneToTwo])).Message.ShouldContain("test.named.v1");
        Should.Throw<ArgumentException>(() => new EventRegistry([typeof(Named)], [TwoToThree, TwoToThree])).Message.ShouldContain("test.named.v2");
    }

    [Fact]
    public void The_spool_gives_back_what_an_older_program_put_into_it()
    {
        (IMeshEvent written, ConnectionOpened expected) = OlderEvents.Sample(EventSamples.Peer(1));
        using (var before = new EventSpool(OlderEvents.Before))
        {
            before.Open(EventSamples.Node, _directory);
            before.Append([Recorded(1, written)]);
        }

        using var after = new EventSpool(OlderEvents.After);
        after.Open(EventSamples.Node, _directory);

        after.Read(0, 10).ShouldHaveSingleItem().Data.ShouldBe(expected);
    }

    [Fact]
    public void The_replica_folds_what_an_older_program_put_into_it()
    {
        (IMeshEvent written, ConnectionOpened expected) = OlderEvents.Sample(EventSamples.Peer(1));
        using (var before = new LocalReplica(NullLogger.Instance, OlderEvents.Before))
        {
            before.Open(EventSamples.Node, _directory);
            before.Save(MeshState.Empty, new LogPoint(Guid.NewGuid(), new LogPosition(1, 0, DateTimeOffset.UnixEpoch)));
            before.Append([Recorded(1, written)]);
        }

        using var after = new LocalReplica(NullLogger.Instance, OlderEvents.After);
        after.Open(EventSamples.Node, _directory);

        (MeshState state, LogPoint end) = after.Load().ShouldNotBeNull();
        end.Position.NodeSeq.ShouldBe(1);
        state.Connections.Open.Values.ShouldHaveSingleItem().Connection.ShouldBe(expected.Connection);
    }

    private static RecordedEvent Recorded(long place, IMeshEvent data) =>
        new(Guid.NewGuid(), 1, place, DateTimeOffset.UnixEpoch.AddSeconds(place), data, null);

    private static IMeshEvent Read(EventRegistry registry, string wireName, string json) =>
        MeshJson.Deserialize(registry.Get(wireName), Encoding.UTF8.GetBytes(json));

    [MeshEvent("test.named", 3, StreamFamily.Plugins)]
    private sealed record Named(string First, string Last, int Length) : IMeshEvent;
}
