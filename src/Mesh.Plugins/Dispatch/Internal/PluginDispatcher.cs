using System.Collections.Immutable;
using System.Diagnostics;
using EventMesh.Dispatch;
using EventMesh.Notifications;
using MediatR;

namespace EventMesh.Plugins.Dispatch.Internal;

/// <summary>Hands messages to every plugin of their channel, and requests to the first.</summary>
internal sealed class PluginDispatcher : IMessageDispatcher
{
    private static readonly Task<MeshError?> NoHandler = Task.FromResult<MeshError?>(MeshError.NoHandler);

    // In the order in which requests look for a handler. Replaced as a whole.
    private ImmutableArray<PluginRunner> _runners = [];

    /// <summary>The plugins at work.</summary>
    public ImmutableArray<PluginRunner> Runners => _runners;

    /// <summary>Adds a plugin: by name, the application last, so that its handlers take what no plugin asked for.</summary>
    public void Add(PluginRunner runner) => ImmutableInterlocked.Update(
        ref _runners,
        static (runners, added) =>
        [
            .. runners.Add(added)
                .OrderBy(one => one.Name == Loading.Internal.PluginLoader.ApplicationName)
                .ThenBy(one => one.Name, StringComparer.Ordinal)
        ],
        runner);

    /// <summary>Takes a plugin out.</summary>
    public void Remove(PluginRunner runner) =>
        ImmutableInterlocked.Update(ref _runners, static (runners, removed) => runners.Remove(removed), runner);

    public Task<MeshError?> DispatchAsync(MessageReceived message, ActivityContext parent)
    {
        // Mostly there is one plugin for a channel, and its answer is passed on as it is.
        Task<MeshError?> result = NoHandler;
        List<Task<MeshError?>>? several = null;
        foreach (PluginRunner runner in _runners)
        {
            if (!runner.TryDispatch(message, parent, out Task<MeshError?> outcome))
                continue;
            if (several is not null)
                several.Add(outcome);
            else if (result == NoHandler)
                result = outcome;
            else
                several = [result, outcome];
        }

        return several is null ? result : CombineAsync(several);
    }

    public Task<ReadOnlyMemory<byte>> DispatchAsync(RemoteRequest request, ActivityContext parent, CancellationToken cancellationToken)
    {
        foreach (PluginRunner runner in _runners)
        {
            if (runner.Handles(request))
                return runner.DispatchAsync(request, parent, cancellationToken);
        }

        return Task.FromException<ReadOnlyMemory<byte>>(
            new MeshException(MeshError.NoHandler, $"No plugin handles requests on the channel '{request.Channel}'."));
    }

    public bool TakesLargeMessages(string channel)
    {
        foreach (PluginRunner runner in _runners)
        {
            if (runner.HandlesLarge(channel))
                return true;
        }

        return false;
    }

    public Task<MeshError?> DispatchAsync(LargeMessage message, ActivityContext parent, CancellationToken cancellationToken)
    {
        foreach (PluginRunner runner in _runners)
        {
            if (runner.HandlesLarge(message.Channel))
                return runner.DispatchAsync(message, parent, cancellationToken);
        }

        return NoHandler;
    }

    public void Publish(INotification notification)
    {
        foreach (PluginRunner runner in _runners)
            runner.Publish(notification);
    }

    // A refusal is known at once; the plugins that took the message handle it all the same.
    private static async Task<MeshError?> CombineAsync(List<Task<MeshError?>> outcomes)
    {
        foreach (Task<MeshError?> outcome in outcomes)
        {
            if (outcome.IsCompletedSuccessfully && await outcome.ConfigureAwait(false) == MeshError.Busy)
                return MeshError.Busy;
        }

        MeshError? worst = null;
        foreach (Task<MeshError?> outcome in outcomes)
            worst = await outcome.ConfigureAwait(false) ?? worst;
        return worst;
    }
}
