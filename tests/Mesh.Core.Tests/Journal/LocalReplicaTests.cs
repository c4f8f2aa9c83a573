using EventMesh.Events;
using EventMesh.Journal;
using EventMesh.Journal.Internal;
using EventMesh.Projections;
using Microsoft.Extensions.Logging.Abstractions;
using Shouldly;
using Xunit;

namespace EventMesh.Core.Tests.Journal;

public sealed class LocalReplicaTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("eventmesh-replica-").FullName;

    private string FilePath => Path.Combine(_directory, LocalReplica.FileName);

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void A_new_replica_is_empty()
    {
        using LocalReplica replica = Open();

        replica.Load().ShouldBeNull();
    }

    [Fact]
    public void A_snapshot_of_every_event_type_comes_back_as_it_was()
    {
        IReadOnlyList<RecordedEvent> events = Record(EventSamples.All, from: 1);
        MeshState state = Fold(MeshState.Empty, events);
        using (LocalReplica replica = Open())
            replica.Save(state, LogPoint.Of(events[^1]));

        using LocalReplica again = Open();
        (MeshState loaded, LogPoint end) = again.Load().ShouldNotBeNull();

        end.ShouldBe(LogPoint.Of(events[^1]));
        ShouldBeSame(loaded, state);
        // What is folded onto it later is the same too.
        IReadOnlyList<RecordedEvent> later = Record([EventSamples.Opened(3), EventSamples.Joined(3), .. EventSamples.All], from: events.Count + 1);
        ShouldBeSame(Fold(loaded, later), Fold(state, later));
    }

    [Fact]
    public void Events_after_the_snapshot_are_folded_onto_it()
    {
        IReadOnlyList<RecordedEvent> events = Record([.. Enumerable.Range(1, 40).Select(EventSamples.Opened)], from: 1);
        using (LocalReplica replica = Open())
        {
            replica.Save(Fold(MeshState.Empty, [.. events.Take(10)]), LogPoint.Of(events[9]));
            replica.Append([.. events.Skip(10).Take(20)]);
            replica.Append([.. events.Skip(30)]);
        }

        using LocalReplica again = Open();
        (MeshState loaded, LogPoint end) = again.Load().ShouldNotBeNull();

        end.Position.NodeSeq.ShouldBe(40);
        ShouldBeSame(loaded, Fold(MeshState.Empty, events));
    }

    [Fact]
    public void A_snapshot_keeps_the_events_after_it()
    {
        IReadOnlyList<RecordedEvent> events = Record([.. Enumerable.Range(1, 20).Select(EventSamples.Opened)], from: 1);
        using LocalReplica replica = Open();
        replica.Save(MeshState.Empty, new LogPoint(Guid.NewGuid(), new LogPosition(1, 0, DateTimeOffset.UnixEpoch)));
        replica.Append(events);

        replica.Save(Fold(MeshState.Empty, [.. events.Take(15)]), LogPoint.Of(events[14]));

        (MeshState loaded, LogPoint end) = replica.Load().ShouldNotBeNull();
        end.Position.NodeSeq.ShouldBe(20);
        ShouldBeSame(loaded, Fold(MeshState.Empty, events));
    }

    [Fact]
    public void What_follows_a_hole_is_not_folded()
    {
        IReadOnlyList<RecordedEvent> events = Record([.. Enumerable.Range(1, 20).Select(EventSamples.Opened)], from: 1);
        using LocalReplica replica = Open();
        replica.Save(Fold(MeshState.Empty, [events[0]]), LogPoint.Of(events[0]));
        replica.Append([.. events.Skip(1).Take(4)]);
        replica.Append([.. events.Skip(10)]);

        (MeshState loaded, LogPoint end) = replica.Load().ShouldNotBeNull();

        end.Position.NodeSeq.ShouldBe(5);
        loaded.Connections.Open.Count.ShouldBe(5);
    }

    [Fact]
    public void A_damaged_file_is_made_anew()
    {
        File.WriteAllBytes(FilePath, [.. Enumerable.Repeat((byte)7, 8192)]);
        IReadOnlyList<RecordedEvent> events = Record([EventSamples.Opened(1)], from: 1);

        using LocalReplica replica = Open();
        replica.Load().ShouldBeNull();
        replica.Save(Fold(MeshState.Empty, events), LogPoint.Of(events[0]));

        replica.Load().ShouldNotBeNull().State.Connections.Open.Count.ShouldBe(1);
    }

    [Fact]
    public void The_replica_of_another_node_is_made_anew()
    {
        IReadOnlyList<RecordedEvent> events = Record([EventSamples.Opened(1)], from: 1);
        using (var other = new LocalReplica(NullLogger.Instance))
        {
            other.Open(new(Guid.NewGuid()), _directory);
            other.Save(Fold(MeshState.Empty, events), LogPoint.Of(events[0]));
        }

        using LocalReplica replica = Open();

        replica.Load().ShouldBeNull();
    }

    [Fact]
    public void It_is_readable_for_its_user_only()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Windows has no file modes.");
            return;
        }
        using LocalReplica replica = Open();

        File.GetUnixFileMode(FilePath).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    private LocalReplica Open()
    {
        var replica = new LocalReplica(NullLogger.Instance);
        replica.Open(EventSamples.Node, _directory);
        return replica;
    }

    private static IReadOnlyList<RecordedEvent> Record(IReadOnlyList<IMeshEvent> data, int from) =>
    [
        .. data.Select((each, index) => new RecordedEvent(
            Guid.NewGuid(), 1, from + index, DateTimeOffset.UnixEpoch.AddYears(56).AddSeconds(from + index), each, null)),
    ];

    private static MeshState Fold(MeshState state, IReadOnlyList<RecordedEvent> events) => events.Aggregate(state, MeshState.Apply);

    private static void ShouldBeSame(MeshState actual, MeshState expected) => Text(actual).ShouldBe(Text(expected));

    // By name, since the order of an immutable dictionary depends on how it was built.
    private static string Text(MeshState state)
    {
        var text = new System.Text.StringBuilder();
        Write(text, System.Text.Json.JsonSerializer.SerializeToElement(state, MeshJson.Options));
        return text.ToString();
    }

    private static void Write(System.Text.StringBuilder text, System.Text.Json.JsonElement element)
    {
        IEnumerable<string> parts = element.ValueKind switch
        {
            System.Text.Json.JsonValueKind.Object => element.EnumerateObject().Select(property => $"{property.Name}={Part(property.Value)}"),
            System.Text.Json.JsonValueKind.Array => element.EnumerateArray().Select(Part),
            _ => [element.GetRawText()],
        };
        text.Append('(').AppendJoin(';', parts.Order(StringComparer.Ordinal)).Append(')');
    }

    private static string Part(System.Text.Json.JsonElement element)
    {
        var text = new System.Text.StringBuilder();
        Write(text, element);
        return text.ToString();
    }
}
