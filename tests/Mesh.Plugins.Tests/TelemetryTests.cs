using System.Diagnostics;
using EventMesh.Diagnostics;
using EventMesh.Notifications;
using Shouldly;
using Xunit;

namespace EventMesh.Plugins.Tests;

public sealed class TelemetryTests : IAsyncDisposable
{
    private static readonly ActivityContext Sender = new(
        ActivityTraceId.CreateRandom(), ActivitySpanId.CreateRandom(), ActivityTraceFlags.Recorded, traceState: null, isRemote: true);

    private readonly TestPlugins _plugins = new();

    public ValueTask DisposeAsync() => _plugins.DisposeAsync();

    [Fact]
    public async Task Handling_a_message_is_a_span_of_the_senders_trace_with_a_link_and_the_handler_is_inside()
    {
        using var spans = new Spans();
        ActivityContext? inside = null;
        _plugins.Add("traced", new Behaviour
        {
            OnMessage = (_, _) =>
            {
                inside = Activity.Current?.Context;
                return Task.CompletedTask;
            },
        }, "chat.*");
        MessageReceived message = TestNode.Message("chat.room");

        // The caller's own span is not the parent.
        using var caller = new Activity("session").Start();
        await _plugins.Dispatcher.DispatchAsync(message, Sender);
        Activity span = await spans.WaitForAsync("traced");

        span.DisplayName.ShouldBe("process chat.room");
        span.Kind.ShouldBe(ActivityKind.Consumer);
        (span.TraceId, span.ParentSpanId, span.HasRemoteParent).ShouldBe((Sender.TraceId, Sender.SpanId, true));
        span.Links.ShouldHaveSingleItem().Context.ShouldBe(Sender);
        inside!.Value.SpanId.ShouldBe(span.SpanId);
        span.GetTagItem(MeshTelemetry.Attributes.MessagingSystem).ShouldBe("eventmesh");
        span.GetTagItem(MeshTelemetry.Attributes.OperationType).ShouldBe("process");
        span.GetTagItem(MeshTelemetry.Attributes.Destination).ShouldBe("chat.*");
        span.GetTagItem(MeshTelemetry.Attributes.MessageId).ShouldBe(message.Id.ToString());
        span.Status.ShouldBe(ActivityStatusCode.Unset);
        Activity.Current.ShouldBeSameAs(caller);
    }

    [Fact]
    public async Task A_message_without_a_trace_begins_one()
    {
        using var spans = new Spans();
        _plugins.Add("rooted", new Behaviour());

        using var caller = new Activity("session").Start();
        await _plugins.RequestAsync();
        Activity span = await spans.WaitForAsync("rooted");

        span.ParentSpanId.ShouldBe(default);
        span.TraceId.ShouldNotBe(caller.TraceId);
        span.Links.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_failure_marks_the_span_and_the_measured_duration()
    {
        using var spans = new Spans();
        using var metrics = new Metrics("failing");
        _plugins.Add("failing", new Behaviour { OnMessage = (_, _) => throw new InvalidOperationException("on purpose") }, "chat.*");

        await _plugins.SendAsync("chat.room");
        Activity span = await spans.WaitForAsync("failing");

        span.Status.ShouldBe(ActivityStatusCode.Error);
        span.GetTagItem(MeshTelemetry.Attributes.ErrorType).ShouldBe("HandlerFailed");
        (string _, string? unit, double value, Dictionary<string, object?> tags) = metrics.All("messaging.process.duration").ShouldHaveSingleItem();
        unit.ShouldBe("s");
        value.ShouldBeInRange(0, 10);
        tags[MeshTelemetry.Attributes.Destination].ShouldBe("chat.*");
        tags[MeshTelemetry.Attributes.ErrorType].ShouldBe("HandlerFailed");
        metrics.All("eventmesh.plugin.failures").ShouldHaveSingleItem().Unit.ShouldBe("{failure}");
    }

    [Fact]
    public async Task A_notification_belongs_to_the_trace_of_its_event()
    {
        using var spans = new Spans();
        _plugins.Add("told", new Behaviour());
        PeerLeft left = TestPlugins.Left;

        _plugins.Dispatcher.Publish(left with { Cause = left.Cause with { TraceParent = $"00-{Sender.TraceId}-{Sender.SpanId}-01" } });
        Activity span = await spans.WaitForAsync("told");

        (span.DisplayName, span.Kind, span.TraceId).ShouldBe(("process PeerLeft", ActivityKind.Internal, Sender.TraceId));
    }

    private sealed class Spans : IDisposable
    {
        private readonly ActivityListener _listener;
        private readonly List<Activity> _stopped = [];
        private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Spans()
        {
            _listener = new ActivityListener
            {
                ShouldListenTo = source => source.Name == MeshTelemetry.SourceName,
                Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
                ActivityStopped = activity =>
                {
                    lock (_stopped)
                    {
                        _stopped.Add(activity);
                        _changed.TrySetResult();
                        _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
                    }
                },
            };
            ActivitySource.AddActivityListener(_listener);
        }

        public async Task<Activity> WaitForAsync(string plugin)
        {
            while (true)
            {
                Task changed;
                lock (_stopped)
                {
                    if (_stopped.Find(activity => plugin.Equals(activity.GetTagItem(MeshTelemetry.Attributes.Plugin))) is { } found)
                        return found;
                    changed = _changed.Task;
                }

                await changed.WaitAsync(TimeSpan.FromMinutes(2));
            }
        }

        public void Dispose() => _listener.Dispose();
    }
}
