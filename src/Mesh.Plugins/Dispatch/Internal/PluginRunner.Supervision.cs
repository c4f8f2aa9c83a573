using System.Diagnostics;
using EventMesh.Diagnostics;
using EventMesh.Dispatch;

namespace EventMesh.Plugins.Dispatch.Internal;

/// <summary>How handlers are run: on a thread of their own choice, under a time limit, in a span, and counted.</summary>
internal sealed partial class PluginRunner
{
    /// <summary>Runs handlers and reports how it went; it never fails, and it ends in time even if they don't.</summary>
    private async Task<MeshError?> SuperviseAsync(WorkItem item)
    {
        using Activity? activity = StartActivity(item);
        long started = time.GetTimestamp();
        MeshError? error = await TryAsync(item, lastTry: !item.IsNotification).ConfigureAwait(false);
        if (error == MeshError.HandlerFailed && item.IsNotification && !IsQuarantined)
            error = await TryAsync(item, lastTry: true).ConfigureAwait(false);
        if (error is { } failed)
        {
            activity?.SetStatus(ActivityStatusCode.Error);
            activity?.SetTag(MeshTelemetry.Attributes.ErrorType, failed.ToString());
        }

        if (PluginMetrics.ProcessDuration.Enabled)
            PluginMetrics.ProcessDuration.Record(time.GetElapsedTime(started).TotalSeconds, TagsOf(item, error));
        return error;
    }

    private async Task<MeshError?> TryAsync(WorkItem item, bool lastTry)
    {
        var limit = new CancellationTokenSource(); // Not disposed: handlers that are no longer waited for may look at its token.

        // On the pool, because a handler may block before its first await, and the worker has to go on then too.
        Task handling = Task.Run(async () =>
        {
            using var scope = HandlingScope.Enter(time.GetUtcNow() + options.HandlerTimeout);
            await item.Handle(item, limit.Token).ConfigureAwait(false);
        });
        long? progress;
        do
        {
            progress = item.Progress?.Invoke();
            await handling.WaitAsync(options.HandlerTimeout, time, _givenUp.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        while (!handling.IsCompleted && !_givenUp.IsCancellationRequested && item.Progress?.Invoke() > progress);
        if (handling.IsCompletedSuccessfully)
        {
            _failures.Succeeded(item.From);
            return null;
        }

        if (handling.IsCompleted)
        {
            Exception failure = handling.Exception?.InnerException ?? new OperationCanceledException("The handler cancelled itself.");
            if (lastTry && _failures.Failed(item.Kind, item.From, MeshError.HandlerFailed, failure))
                Quarantine();
            return MeshError.HandlerFailed;
        }

        // Not waited for: the plugin's callbacks on this token may hang too.
        Forget(limit.CancelAsync());
        if (_givenUp.IsCancellationRequested)
        {
            Forget(handling);
            return MeshError.Aborted;
        }

        if (_failures.Abandoned(item.Kind, item.From, handling, options.HandlerTimeout))
            Quarantine();
        return MeshError.Timeout;
    }

    private void Quarantine()
    {
        foreach (WorkItem waiting in _queue.CloseAndClear())
            waiting.Completion?.TrySetResult(MeshError.HandlerFailed);
    }

    private Activity? StartActivity(WorkItem item)
    {
        if (!MeshTelemetry.Source.HasListeners())
            return null;
        // The parent is the sender's span, never the one of whoever called us.
        Activity.Current = null;
        Activity? activity = MeshTelemetry.Source.StartActivity(
            $"process {item.Subject}", item.IsNotification ? ActivityKind.Internal : ActivityKind.Consumer, item.Parent,
            links: item.Parent == default ? null : [new ActivityLink(item.Parent)]);
        if (activity is { IsAllDataRequested: true })
        {
            activity.SetTag(MeshTelemetry.Attributes.Plugin, Name);
            if (!item.IsNotification)
            {
                activity.SetTag(MeshTelemetry.Attributes.MessagingSystem, "eventmesh");
                activity.SetTag(MeshTelemetry.Attributes.OperationName, "process");
                activity.SetTag(MeshTelemetry.Attributes.OperationType, "process");
                activity.SetTag(MeshTelemetry.Attributes.Destination, item.Destination);
                if (item.MessageId is { } id)
                    activity.SetTag(MeshTelemetry.Attributes.MessageId, id.ToString());
            }
        }

        return activity;
    }

    private TagList TagsOf(WorkItem item, MeshError? error)
    {
        TagList tags = new()
        {
            { MeshTelemetry.Attributes.MessagingSystem, "eventmesh" },
            { MeshTelemetry.Attributes.OperationName, "process" },
            { MeshTelemetry.Attributes.Destination, item.Destination },
            { MeshTelemetry.Attributes.Plugin, Name },
        };
        if (error is { } failed)
            tags.Add(PluginMetrics.Tag(failed));
        return tags;
    }
}
