using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.ExceptionServices;
using EventMesh.Dispatch;
using EventMesh.Journal;
using EventMesh.Notifications;
using EventMesh.Plugins.Internal;
using EventMesh.Plugins.Loading.Internal;
using EventMesh.PubSub;
using MediatR;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace EventMesh.Plugins.Dispatch.Internal;

/// <summary>
/// One plugin at work: its queue, its workers, its requests. Whatever its handlers do, the caller gets an answer and the workers go on.
/// </summary>
/// <remarks>All members may be called concurrently; nothing is handled before <see cref="Start"/> and after <see cref="StopAsync"/>.</remarks>
[SuppressMessage("Design", "CA1001", Justification = "Handlers that still run after the stop may look at the token; its source holds no timer and no wait handle.")]
internal sealed partial class PluginRunner(
    string name, ChannelPatterns channels, HandlerSet handlers, IServiceScopeFactory scopes, PluginOptions options, IEventJournal journal,
    TimeProvider time, ILogger logger, IHandlerFailures? node = null)
{
    private static readonly Task<MeshError?> NoHandler = Task.FromResult<MeshError?>(MeshError.NoHandler);
    private static readonly Task<MeshError?> Busy = Task.FromResult<MeshError?>(MeshError.Busy);
    private readonly WorkQueue _queue = new(options.QueueLength, options.QueueBytes);
    private readonly FailureMonitor _failures = new(name, options.QuarantineAfter, journal, time, logger, node);

    // Cancelled when the plugin is given up at its stop.
    private readonly CancellationTokenSource _givenUp = new();
    private Task _workers = Task.CompletedTask;

    // Completed when no request runs any more, once the plugin is being stopped.
    private readonly TaskCompletionSource _requestsEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _runningRequests;
    private volatile bool _stopping;

    /// <summary>The plugin's name.</summary>
    public string Name { get; } = name;

    /// <summary>The plugin's channels.</summary>
    public ChannelPatterns Channels { get; } = channels;

    /// <summary>Whether it receives nothing any more.</summary>
    public bool IsQuarantined => _failures.IsQuarantined;

    /// <summary>How many messages and notifications wait.</summary>
    public int Waiting => _queue.Count;

    /// <summary>Failures since it was loaded.</summary>
    public long Failures => _failures.Total;

    /// <summary>Starts the workers.</summary>
    public void Start()
    {
        // The workers outlive the caller and must not carry its trace into every message.
        using AsyncFlowControl flow = ExecutionContext.SuppressFlow();
        _workers = Task.WhenAll(Enumerable.Range(0, options.Concurrency).Select(_ => Task.Run(WorkAsync)));
    }

    /// <summary>Queues a message; false when the plugin does not handle its channel.</summary>
    public bool TryDispatch(MessageReceived message, ActivityContext parent, out Task<MeshError?> outcome)
    {
        outcome = NoHandler;
        if (IsQuarantined || !handlers.Handles(typeof(MessageReceived)) || !Channels.TryMatch(message.Channel, out string pattern))
            return false;
        if (_failures.IsMuted(message.From))
        {
            PluginMetrics.Refused.Add(1, PluginMetrics.Tag(Name));
            outcome = Busy;
            return true;
        }

        var item = new WorkItem(nameof(MessageReceived), (work, token) => PublishAsync(message, work, token), parent)
        {
            Subject = message.Channel,
            Destination = pattern,
            MessageId = message.Id,
            From = message.From,
            Bytes = message.Payload.Length,
            Deadline = message.Deadline,
            Completion = new TaskCompletionSource<MeshError?>(TaskCreationOptions.RunContinuationsAsynchronously),
        };
        if (_queue.TryEnqueue(item))
        {
            outcome = item.Completion.Task;
            return true;
        }

        PluginMetrics.Refused.Add(1, PluginMetrics.Tag(Name));
        outcome = Busy;
        return true;
    }

    /// <summary>Queues a notification if the plugin has a handler for it.</summary>
    public void Publish(INotification notification)
    {
        Type type = notification.GetType();
        if (IsQuarantined || !handlers.Handles(type))
            return;
        _ = ActivityContext.TryParse(TraceOf(notification), traceState: null, isRemote: false, out ActivityContext parent);
        var item = new WorkItem(type.Name, (work, token) => PublishAsync(notification, work, token), parent)
        {
            Subject = type.Name,
            Destination = type.Name,
            IsNotification = true,
        };
        if (_queue.EnqueueOrDrop(item))
            PluginMetrics.Dropped.Add(1, PluginMetrics.Tag(Name));
    }

    /// <summary>Queues a message of a topic for the handler that the plugin subscribed with; drops it, with a metric, when there is no room.</summary>
    public void Deliver(TopicMessage message, Func<TopicMessage, CancellationToken, Task> handler)
    {
        if (IsQuarantined)
            return;
        if (_failures.IsMuted(message.From))
        {
            PluginMetrics.Refused.Add(1, PluginMetrics.Tag(Name));
            return;
        }

        var item = new WorkItem(nameof(TopicMessage), (_, token) => handler(message, token), default(ActivityContext))
        {
            Subject = message.Topic,
            Destination = message.Topic,
            Bytes = message.Payload.Length,
            From = message.From,
        };
        if (!_queue.TryEnqueue(item))
            PluginMetrics.Refused.Add(1, PluginMetrics.Tag(Name));
    }

    /// <summary>Whether the plugin handles a request.</summary>
    public bool Handles(RemoteRequest request) => !IsQuarantined && handlers.HandlesRequests && Channels.TryMatch(request.Channel, out _);

    /// <summary>Handles a request of one of the plugin's channels.</summary>
    public Task<ReadOnlyMemory<byte>> DispatchAsync(RemoteRequest request, ActivityContext parent, CancellationToken cancellationToken)
    {
        Channels.TryMatch(request.Channel, out string pattern);
        if (_failures.IsMuted(request.From))
        {
            PluginMetrics.Refused.Add(1, PluginMetrics.Tag(Name));
            return Task.FromException<ReadOnlyMemory<byte>>(
                new MeshException(MeshError.Busy, $"Plugin '{Name}' failed at what this peer sent and takes nothing of it for a while."));
        }

        if (Interlocked.Increment(ref _runningRequests) > options.MaxRunningRequests || _stopping)
        {
            EndRequest();
            PluginMetrics.Refused.Add(1, PluginMetrics.Tag(Name));
            return Task.FromException<ReadOnlyMemory<byte>>(
                new MeshException(MeshError.Busy, $"Plugin '{Name}' has no room for another request now. Ask again later."));
        }

        return RespondAsync(request, pattern, parent, cancellationToken);
    }

    /// <summary>Whether the plugin takes large messages of a channel as streams.</summary>
    public bool HandlesLarge(string channel) => !IsQuarantined && handlers.LargeMessageHandlers.Count > 0 && Channels.TryMatch(channel, out _);

    /// <summary>Handles a large message of one of the plugin's channels while it arrives, beside the queue: it may take long.</summary>
    public async Task<MeshError?> DispatchAsync(LargeMessage message, ActivityContext parent, CancellationToken cancellationToken)
    {
        Channels.TryMatch(message.Channel, out string pattern);
        if (Interlocked.Increment(ref _runningRequests) > options.MaxRunningRequests || _stopping)
        {
            EndRequest();
            PluginMetrics.Refused.Add(1, PluginMetrics.Tag(Name));
            return MeshError.Busy;
        }

        var item = new WorkItem(nameof(LargeMessage), HandleAsync, parent)
        {
            Subject = message.Channel,
            Destination = pattern,
            MessageId = message.Id,
            Progress = () => message.Content.Position,
        };
        return await SuperviseRequestAsync(item).ConfigureAwait(false) is null ? null : MeshError.HandlerFailed;

        async Task HandleAsync(WorkItem work, CancellationToken limit)
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit);
            try
            {
                AsyncServiceScope scope = scopes.CreateAsyncScope();
                await using (scope.ConfigureAwait(false))
                {
                    var mediator = new IsolatingMediator(scope.ServiceProvider.GetRequiredService, only: null);
                    await mediator.Send(message, either.Token).ConfigureAwait(false);
                }
            }
            catch (Exception) when (!message.Content.CanRead || cancellationToken.IsCancellationRequested)
            {
                // The sender or its connection was lost, which is no failure of the plugin's; nobody waits for the outcome.
            }
        }
    }

    /// <summary>Lets running and waiting work end, for a limited time, then gives it up. It never fails.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        _queue.Close();
        _stopping = true;
        if (Interlocked.CompareExchange(ref _runningRequests, 0, 0) == 0)
            _requestsEnded.TrySetResult();
        try
        {
            await Task.WhenAll(_workers, _requestsEnded.Task).WaitAsync(options.StopTimeout, time, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            IReadOnlyList<WorkItem> waiting = _queue.CloseAndClear();
            Log.WorkGivenUp(logger, Name, waiting.Count);
            foreach (WorkItem item in waiting)
                item.Completion?.TrySetResult(MeshError.Busy);
        }

        await _givenUp.CancelAsync().ConfigureAwait(false);
        await _workers.ConfigureAwait(false);
        await _requestsEnded.Task.ConfigureAwait(false);
    }

    private static void Forget(Task task) =>
        _ = task.ContinueWith(
            static ended => _ = ended.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    private static string? TraceOf(INotification notification) => notification switch
    {
        PeerJoined joined => joined.Cause.TraceParent,
        PeerLeft left => left.Cause.TraceParent,
        PeerUpdated updated => updated.Cause.TraceParent,
        TrustChanged trust => trust.Cause.TraceParent,
        CacheChanged cache => cache.Cause.TraceParent,
        _ => null,
    };

    private async Task WorkAsync()
    {
        while (await _queue.DequeueAsync().ConfigureAwait(false) is { } item)
        {
            if (item.Deadline <= time.GetUtcNow())
            {
                item.Completion?.TrySetResult(MeshError.DeadlineExceeded);
                continue;
            }
            // It may have been muted while its messages waited.
            if (item.From is { } peer && _failures.IsMuted(peer))
            {
                item.Completion?.TrySetResult(MeshError.Busy);
                continue;
            }

            MeshError? error = await SuperviseAsync(item).ConfigureAwait(false);
            item.Completion?.TrySetResult(error is null ? null : MeshError.HandlerFailed);
        }
    }

    private async Task<ReadOnlyMemory<byte>> RespondAsync(
        RemoteRequest request, string pattern, ActivityContext parent, CancellationToken cancellationToken)
    {
        ReadOnlyMemory<byte> response = default;
        var item = new WorkItem(nameof(RemoteRequest), HandleAsync, parent) { Subject = request.Channel, Destination = pattern, From = request.From };
        Task<MeshError?> supervised = SuperviseRequestAsync(item);
        // When the peer takes the request back, the caller is free at once; the supervisor keeps the place until the handler has ended.
        return await supervised.WaitAsync(cancellationToken).ConfigureAwait(false) is null
            ? response
            : throw new MeshException(MeshError.HandlerFailed, $"The handler of '{request.Channel}' in plugin '{Name}' failed.");

        async Task HandleAsync(WorkItem work, CancellationToken limit)
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit);
            try
            {
                AsyncServiceScope scope = scopes.CreateAsyncScope();
                await using (scope.ConfigureAwait(false))
                {
                    var mediator = new IsolatingMediator(scope.ServiceProvider.GetRequiredService, only: null);
                    response = await mediator.Send(request, either.Token).ConfigureAwait(false);
                }
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                // The handler did as it was told, which is no failure; nobody waits for the response.
            }
        }
    }

    private async Task<MeshError?> SuperviseRequestAsync(WorkItem item)
    {
        try
        {
            return await SuperviseAsync(item).ConfigureAwait(false);
        }
        finally
        {
            EndRequest();
        }
    }

    private void EndRequest()
    {
        if (Interlocked.Decrement(ref _runningRequests) == 0 && _stopping)
            _requestsEnded.TrySetResult();
    }

    private async Task PublishAsync(INotification notification, WorkItem item, CancellationToken cancellationToken)
    {
        AsyncServiceScope scope = scopes.CreateAsyncScope();
        await using (scope.ConfigureAwait(false))
        {
            var mediator = new IsolatingMediator(scope.ServiceProvider.GetRequiredService, item.Failed);
            await mediator.Publish(notification, cancellationToken).ConfigureAwait(false);
            if (mediator.Failure is { } failure)
            {
                item.Failed = mediator.Failed;
                ExceptionDispatchInfo.Throw(failure);
            }
        }
    }
}
