using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Journal.Internal;
using EventMesh.Node;
using EventMesh.Tests.Common.Journal;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Shouldly;

namespace EventMesh.Core.Tests.Journal;

/// <summary>A node's log in a test: a store and a data directory that outlive the journals that use them.</summary>
internal sealed class JournalRun : IAsyncDisposable
{
    private readonly List<EventJournal> _journals = [];

    public InMemoryEventStore Store { get; } = new();

    public NodeId Node { get; } = EventSamples.Node;

    public string Directory { get; } = System.IO.Directory.CreateTempSubdirectory("eventmesh-journal-").FullName;

    public string SpoolPath => Path.Combine(Directory, EventSpool.FileName);

    public TimeProvider Time { get; set; } = TimeProvider.System;

    public JournalOptions Options { get; } = new() { BatchDelay = TimeSpan.FromMilliseconds(1) };

    /// <summary>The content of the store.</summary>
    public IReadOnlyList<RecordedEvent> Log => Store.Content(Node);

    /// <summary>How long a spell of spooling lasts before the log says so; never unless a test wants it, since most count events.</summary>
    public TimeSpan ReportAfter { get; set; } = TimeSpan.MaxValue;

    public Action<JournalStep>? OnStep { get; set; }

    public EventJournal Create()
    {
        var journal = new EventJournal(
            Store, new EventSpool(), Time, Microsoft.Extensions.Options.Options.Create(new MeshOptions { Journal = Options }),
            NullLogger<EventJournal>.Instance)
        {
            ReportAfter = ReportAfter,
            OnStep = OnStep,
        };
        _journals.Add(journal);
        return journal;
    }

    public async Task<EventJournal> OpenAsync()
    {
        EventJournal journal = Create();
        await journal.OpenAsync(Node, Directory, _ => EventSamples.Started, TestLimit.Token);
        return journal;
    }

    /// <summary>The log holds places from 1 without a gap, in order, strictly later each, each event once.</summary>
    public void ShouldBeInOrder()
    {
        IReadOnlyList<RecordedEvent> log = Log;
        log.Select(recorded => recorded.NodeSeq).ShouldBe(Enumerable.Range(1, log.Count).Select(place => (long)place));
        log.Select(recorded => recorded.Id).Distinct().Count().ShouldBe(log.Count);
        for (var i = 1; i < log.Count; i++)
        {
            log[i].Time.ShouldBeGreaterThan(log[i - 1].Time);
            log[i].Epoch.ShouldBeGreaterThanOrEqualTo(log[i - 1].Epoch);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (EventJournal journal in _journals)
            await journal.DisposeAsync();
        System.IO.Directory.Delete(Directory, recursive: true);
    }
}
