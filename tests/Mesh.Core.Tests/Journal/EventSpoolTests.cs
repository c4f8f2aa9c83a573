using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal;
using Shouldly;
using Xunit;

namespace EventMesh.Core.Tests.Journal;

public sealed class EventSpoolTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("eventmesh-spool-").FullName;

    private string SpoolPath => Path.Combine(_directory, EventSpool.FileName);

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void What_it_took_is_there_after_it_was_opened_again()
    {
        RecordedEvent[] events = [.. EventSamples.All.Select((data, i) => Event(i + 1, data, i % 2 == 0 ? null : "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"))];
        using (EventSpool spool = Open())
            spool.Append(events);

        using EventSpool again = Open();
        again.Count.ShouldBe(events.Length);
        again.LastNodeSeq.ShouldBe(events.Length);
        IReadOnlyList<RecordedEvent> read = again.Read(0, 1000);
        read.Select(Text).ShouldBe(events.Select(Text));
    }

    [Fact]
    public void It_is_read_from_the_front_and_deleted_up_to_a_place()
    {
        using EventSpool spool = Open();
        spool.Append([.. Enumerable.Range(5, 10).Select(place => Event(place))]);

        spool.Read(0, 3).Select(recorded => recorded.NodeSeq).ShouldBe([5, 6, 7]);
        spool.Read(7, 2).Select(recorded => recorded.NodeSeq).ShouldBe([8, 9]);
        spool.DeleteThrough(12);
        spool.Count.ShouldBe(2);
        spool.Read(0, 100).Select(recorded => recorded.NodeSeq).ShouldBe([13, 14]);
    }

    [Fact]
    public void A_batch_with_an_event_that_cant_be_written_is_not_taken_at_all()
    {
        using EventSpool spool = Open();
        Should.Throw<ArgumentException>(() => spool.Append([Event(1), Event(2, new Unregistered())]));
        spool.Count.ShouldBe(0);
        spool.Read(0, 10).ShouldBeEmpty();
        spool.Append([Event(1)]);
        spool.Count.ShouldBe(1);
    }

    [Fact]
    public void An_append_that_is_repeated_counts_once()
    {
        using EventSpool spool = Open();
        spool.Append([Event(1), Event(2)]);
        spool.Append([Event(1), Event(2)]);
        spool.Read(0, 10).Count.ShouldBe(2);
    }

    [Fact]
    public void Its_files_are_closed_to_other_users()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Files have no mode on Windows.");
            return;
        }
        File.WriteAllBytes(SpoolPath, []);
        File.SetUnixFileMode(SpoolPath, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead | UnixFileMode.GroupRead);
        using EventSpool spool = Open();
        spool.Append([Event(1)]);
        foreach (string file in Directory.GetFiles(_directory))
            File.GetUnixFileMode(file).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite, file);
    }

    [Fact]
    public void It_shrinks_when_a_long_outage_is_over()
    {
        using EventSpool spool = Open();
        var detail = new string('x', 60_000);
        for (var i = 0; i < 10; i++)
            spool.Append([.. Enumerable.Range((i * 50) + 1, 50).Select(place => Event(place, new NodeStopped(detail)))]);
        spool.MeasureBytes().ShouldBeGreaterThan(500 * 60_000);
        spool.DeleteThrough(500);
        spool.MeasureBytes().ShouldBeLessThan(100_000);
        Directory.GetFiles(_directory).Sum(file => new FileInfo(file).Length).ShouldBeLessThan(6_000_000);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4096)]
    public void A_damaged_file_is_an_error_that_names_it(int offset)
    {
        using (EventSpool spool = Open())
            spool.Append([.. Enumerable.Range(1, 500).Select(place => Event(place))]);
        using (FileStream file = File.OpenWrite(SpoolPath))
        {
            file.Position = offset;
            file.Write(Enumerable.Repeat((byte)0xa5, 4096).ToArray());
        }

        using var damaged = new EventSpool();
        MeshException exception = Should.Throw<MeshException>(() => damaged.Open(EventSamples.Node, _directory));
        exception.Error.ShouldBe(MeshError.DataDirectoryUnusable);
        exception.Message.ShouldContain(SpoolPath);
    }

    [Fact]
    public void The_spool_of_another_node_is_refused()
    {
        using (Open())
        {
        }
        using var other = new EventSpool();
        MeshException exception = Should.Throw<MeshException>(() => other.Open(new NodeId(Guid.NewGuid()), _directory));
        exception.Error.ShouldBe(MeshError.DataDirectoryUnusable);
        exception.Message.ShouldContain(EventSamples.Node.ToString());
    }

    [Fact]
    public void A_second_user_of_the_file_is_refused()
    {
        using EventSpool first = Open();
        using var second = new EventSpool();
        Should.Throw<MeshException>(() => second.Open(EventSamples.Node, _directory)).Error.ShouldBe(MeshError.DataDirectoryLocked);
    }

    [Fact]
    public void A_directory_that_cant_be_written_is_an_error_that_names_the_file()
    {
        File.WriteAllText(Path.Combine(_directory, "file"), "");
        using var spool = new EventSpool();
        MeshException exception = Should.Throw<MeshException>(() => spool.Open(EventSamples.Node, Path.Combine(_directory, "file")));
        exception.Error.ShouldBe(MeshError.DataDirectoryUnusable);
        exception.Message.ShouldContain(EventSpool.FileName);
    }

    private static RecordedEvent Event(int place, IMeshEvent? data = null, string? traceParent = null) => new(
        new Guid(place, 1, 2, new byte[8]), 3, place, new DateTimeOffset(2026, 11, 22, 1, 2, 3, TimeSpan.Zero).AddMicroseconds(place),
        data ?? EventSamples.Opened(place), traceParent);

    private static string Text(RecordedEvent recorded) =>
        $"{recorded.Id} {recorded.Epoch} {recorded.NodeSeq} {recorded.Time:O} {recorded.TraceParent} {System.Text.Encoding.UTF8.GetString(MeshJson.Serialize(recorded.Data))}";

    private EventSpool Open()
    {
        var spool = new EventSpool();
        spool.Open(EventSamples.Node, _directory);
        return spool;
    }

    private sealed record Unregistered : IMeshEvent;
}
