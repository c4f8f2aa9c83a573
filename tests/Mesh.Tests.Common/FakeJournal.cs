using System.Runtime.CompilerServices;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Projections;

namespace EventMesh.Tests.Common;

/// <summary>A journal in memory: what is recorded is durable at once, unless <see cref="IsDurableAtOnce"/> says otherwise.</summary>
public sealed class FakeJournal(TimeProvider? time = null) : IEventJournal
{
    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private readonly Lock _mutex = new();
    private readonly List<RecordedEvent> _events = [];
    private readonly TaskCompletionSource _durable = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<MeshException> _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // Completed and replaced with each event.
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public MeshState State { get; private set; } = MeshState.Empty;

    public int Epoch => 1;

    public long LastNodeSeq
    {
        get
        {
            lock (_mutex)
                return _events.Count;
        }
    }

    public bool HasRoomFor(PeerId peer) => true;

    public Task WhenKnownAsync(PeerId peer, CancellationToken cancellationToken) => Task.CompletedTask;

    public Task<MeshException> Failed => _failed.Task;

    /// <summary>Whether events are durable when they are recorded; otherwise <see cref="MakeDurable"/> makes them so.</summary>
    public bool IsDurableAtOnce { get; init; } = true;

    /// <summary>Thrown by each further record, like that of a journal that has closed.</summary>
    public MeshException? Refusal { get; set; }

    /// <summary>What was recorded, in order.</summary>
    public IReadOnlyList<RecordedEvent> Events
    {
        get
        {
            lock (_mutex)
                return [.. _events];
        }
    }

    /// <summary>The recorded events of one type.</summary>
    public IReadOnlyList<T> All<T>()
        where T : IMeshEvent => [.. Events.Select(recorded => recorded.Data).OfType<T>()];

    public RecordedEvent Record(IMeshEvent data) => Decide(_ => [data])[0];

    public IReadOnlyList<RecordedEvent> Decide(Func<MeshState, IEnumerable<IMeshEvent>> decision)
    {
        TaskCompletionSource changed;
        List<RecordedEvent> recorded = [];
        lock (_mutex)
        {
            if (Refusal is { } refusal)
                throw refusal;
            foreach (IMeshEvent data in decision(State))
            {
                var one = new RecordedEvent(Guid.CreateVersion7(), Epoch, _events.Count + 1, _time.GetUtcNow(), data, TraceParent: null);
                State = MeshState.Apply(State, one);
                _events.Add(one);
                recorded.Add(one);
            }

            changed = _changed;
            _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        changed.SetResult();
        return recorded;
    }

    public bool IsDurable(RecordedEvent recorded) => IsDurableAtOnce || _durable.Task.IsCompleted;

    public Task WhenDurableAsync(RecordedEvent recorded, CancellationToken cancellationToken) =>
        IsDurableAtOnce ? Task.CompletedTask : _durable.Task.WaitAsync(cancellationToken);

    /// <summary>Makes everything durable, now and from now on.</summary>
    public void MakeDurable() => _durable.TrySetResult();

    /// <summary>Lets the journal fail as if another process had taken the log over.</summary>
    public void Fail(MeshException cause) => _failed.TrySetResult(cause);

    public async IAsyncEnumerable<RecordedEvent> FollowAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        int next = Events.Count;
        while (true)
        {
            RecordedEvent[] news;
            Task changed;
            lock (_mutex)
            {
                news = [.. _events.Skip(next)];
                changed = _changed.Task;
            }

            foreach (RecordedEvent recorded in news)
                yield return recorded;
            next += news.Length;
            if (news.Length == 0)
                await changed.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Waits, for at most two minutes, until an event of a type was recorded that fits.</summary>
    public async Task<T> WaitForAsync<T>(Func<T, bool>? fits = null)
        where T : IMeshEvent
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while (true)
        {
            Task changed;
            lock (_mutex)
            {
                foreach (RecordedEvent recorded in _events)
                {
                    if (recorded.Data is T data && (fits is null || fits(data)))
                        return data;
                }

                changed = _changed.Task;
            }

            await changed.WaitAsync(limit.Token);
        }
    }
}
