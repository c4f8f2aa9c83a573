using System.Diagnostics.CodeAnalysis;
using EventMesh.Dispatch;
using EventMesh.Events;
using EventMesh.Journal;
using EventMesh.Plugins.Dispatch.Internal;
using EventMesh.Plugins.Internal;
using EventMesh.Plugins.Loading.Internal;
using EventMesh.Plugins.PubSub.Internal;
using EventMesh.PubSub;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace EventMesh.Plugins;

/// <summary>Loads the plugins when the node starts, and unloads them when it stops. All members may be called concurrently.</summary>
[SuppressMessage("Design", "CA1001", Justification = "A semaphore whose wait handle is never made holds nothing to dispose; stopping ends the rest.")]
public sealed class PluginHost : IMeshExtension
{
    private readonly IServiceProvider _services;
    private readonly PluginDispatcher _dispatcher;
    private readonly ApplicationHandlers _application;
    private readonly PubSubHub _topics;
    private readonly PluginPubSub _applicationTopics;
    private readonly TimeProvider _time;
    private readonly ILoggerFactory _loggers;
    private readonly ILogger _logger;
    private readonly Lock _mutex = new();
    private readonly List<HostedPlugin> _plugins = [];

    // Where the plugins came from, by name, also of those that a failed reload has left out.
    private readonly Dictionary<string, string> _folders = [];

    // One start, stop or reload at a time.
    private readonly SemaphoreSlim _changing = new(1);
    private Running? _running;

    internal PluginHost(IServiceProvider services, PluginDispatcher dispatcher, ApplicationHandlers application)
    {
        _topics = services.GetRequiredService<PubSubHub>();
        _applicationTopics = services.GetRequiredService<PluginPubSub>();
        _services = services;
        _dispatcher = dispatcher;
        _application = application;
        _time = services.GetRequiredService<TimeProvider>();
        _loggers = services.GetRequiredService<ILoggerFactory>();
        _logger = _loggers.CreateLogger<PluginHost>();
    }

    /// <summary>The plugins that are loaded now, in the order of their names: a snapshot.</summary>
    public IReadOnlyList<PluginStatus> Plugins
    {
        get
        {
            lock (_mutex)
                return [.. _plugins.Where(plugin => plugin.Loaded is not null || _application.IsPresent).Select(plugin => plugin.ToStatus()).OrderBy(status => status.Name, StringComparer.Ordinal)];
        }
    }

    /// <inheritdoc/>
    /// <remarks>
    /// The task fails with <see cref="MeshException"/>: <see cref="MeshError.PluginUnusable"/> when <see cref="PluginOptions.FailOnError"/> is
    /// set and a plugin can't be used, <see cref="MeshError.InvalidConfiguration"/> when a setting is wrong.
    /// </remarks>
    public async Task StartAsync(IMesh mesh, IEventJournal journal, CancellationToken cancellationToken)
    {
        await _changing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            _running = new Running(ReadOptions(), journal, new PluginLoader(mesh, journal, _topics, ReadSettings(), _loggers, _time), _services.GetService<IHandlerFailures>());
            StartApplication(_running);
            await LoadAllAsync(_running, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await StopAllAsync(cancellationToken).ConfigureAwait(false);
            throw;
        }
        finally
        {
            _changing.Release();
        }
    }

    /// <inheritdoc/>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _changing.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        try
        {
            await StopAllAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _changing.Release();
        }
    }

    /// <summary>Unloads a plugin and loads it again from its folder: after a new version was copied there, or to end its quarantine.</summary>
    /// <param name="name">The plugin's name.</param>
    /// <param name="cancellationToken">Gives up what still waits for the plugin, or its loading.</param>
    /// <returns>The plugin after it.</returns>
    /// <remarks>
    /// The task fails with <see cref="MeshException"/>: <see cref="MeshError.PluginUnusable"/> when there is no such plugin, or its folder can't be
    /// loaded any more: the plugin is unloaded then, and may be reloaded again. <see cref="MeshError.NodeStopped"/> when the node does not run.
    /// </remarks>
    public async Task<PluginStatus> ReloadAsync(string name, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(name);
        await _changing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            Running running = _running ?? throw new MeshException(MeshError.NodeStopped, "The node does not run, so it has no plugins to reload.");
            if (!_folders.TryGetValue(name, out string? folder))
                throw new MeshException(MeshError.PluginUnusable, $"There is no plugin '{name}' with a folder. Loaded are: {string.Join(", ", _folders.Keys)}.");
            await UnloadAsync(name, running, cancellationToken).ConfigureAwait(false);
            return (await LoadAsync(folder, running, cancellationToken).ConfigureAwait(false)).ToStatus();
        }
        finally
        {
            _changing.Release();
        }
    }

    private PluginOptions ReadOptions()
    {
        try
        {
            return _services.GetRequiredService<IOptions<PluginOptions>>().Value;
        }
        catch (OptionsValidationException e)
        {
            throw new MeshException(MeshError.InvalidConfiguration, string.Join(" ", e.Failures), e);
        }
        catch (InvalidOperationException e)
        {
            // The binder: a value that is not of its type.
            throw new MeshException(MeshError.InvalidConfiguration, $"The section {PluginOptions.SectionName} can't be read: {e.Message}", e);
        }
    }

    private IConfiguration ReadSettings() =>
        (_services.GetService<IConfiguration>() ?? new ConfigurationBuilder().Build()).GetSection($"{PluginOptions.SectionName}:Settings");

    private void StartApplication(Running running)
    {
        ApplicationHandlers application = _application;
        if (application.Handlers.RequestHandlers.Count > 1)
        {
            throw new MeshException(
                MeshError.PluginUnusable,
                $"The application has several handlers of requests ({string.Join(", ", application.Handlers.RequestHandlers)}). "
                + "Keep one; it can look at the request's channel.");
        }

        if (application.Handlers.LargeMessageHandlers.Count > 1)
        {
            throw new MeshException(
                MeshError.PluginUnusable,
                $"The application has several handlers of large messages ({string.Join(", ", application.Handlers.LargeMessageHandlers)}). "
                + "Keep one; it can look at the message's channel.");
        }

        foreach ((string handler, string notification) in application.Handlers.NeverCalled)
            Log.HandlerNeverCalled(_logger, PluginLoader.ApplicationName, handler, notification);
        Add(
            new HostedPlugin(
                CreateRunner(
                    PluginLoader.ApplicationName, ChannelPatterns.All, application.Handlers,
                    _services.GetRequiredService<IServiceScopeFactory>(), running),
                application.Version ?? string.Empty, Loaded: null),
            running);
    }

    private async Task LoadAllAsync(Running running, CancellationToken cancellationToken)
    {
        if (running.Options.Directory is not { Length: > 0 } directory)
            return;
        if (!Directory.Exists(directory))
        {
            throw new MeshException(
                MeshError.PluginUnusable,
                $"The plugin folder '{Path.GetFullPath(directory)}' does not exist. Create it, or change {PluginOptions.SectionName}:Directory.");
        }

        List<MeshException> errors = [];
        foreach (string folder in Directory.EnumerateDirectories(directory).Order(StringComparer.Ordinal))
        {
            try
            {
                await LoadAsync(folder, running, cancellationToken).ConfigureAwait(false);
            }
            catch (MeshException e)
            {
                errors.Add(e);
            }
        }

        if (running.Options.FailOnError && errors.Count > 0)
        {
            throw errors is [var only]
                ? only
                : new MeshException(MeshError.PluginUnusable, string.Join(" ", errors.Select(error => error.Message)), new AggregateException(errors));
        }
    }

    private async Task<HostedPlugin> LoadAsync(string folder, Running running, CancellationToken cancellationToken)
    {
        HashSet<string> taken;
        lock (_mutex)
            taken = [.. _plugins.Select(plugin => plugin.Runner.Name)];
        LoadedPlugin loaded;
        try
        {
            // On the pool and under a time limit: a plugin that hangs here would keep the node from starting without a word.
            Task<LoadedPlugin> loading = Task.Run(() => running.Loader.Load(folder, taken), cancellationToken);
            try
            {
                loaded = await loading.WaitAsync(running.Options.LoadTimeout, _time, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e) when (e is TimeoutException or OperationCanceledException)
            {
                _ = loading.ContinueWith(
                    static late =>
                    {
                        late.Result.Services.Dispose();
                        late.Result.Context.Unload();
                    },
                    CancellationToken.None, TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);
                if (e is OperationCanceledException)
                    throw;
                throw Unusable.Because(
                    folder, $"it was not loaded within {running.Options.LoadTimeout.TotalSeconds:0.###} s",
                    $"Correct what its constructor or {nameof(IMeshPlugin.Configure)} waits for.", e);
            }
        }
        catch (MeshException e)
        {
            Log.PluginUnusable(_logger, e.Message, e.InnerException);
            string name = Path.GetFileName(Path.TrimEndingDirectorySeparator(folder));
            PluginMetrics.Failures.Add(1, PluginMetrics.Tag(name), PluginMetrics.Tag(e.Error));
            running.Journal.Record(new PluginFailed(name, Notification: null, e.Message));
            throw;
        }

        var plugin = new HostedPlugin(
            CreateRunner(loaded.Name, loaded.Channels, loaded.Handlers, loaded.Services.GetRequiredService<IServiceScopeFactory>(), running),
            loaded.Version, loaded);
        _folders[loaded.Name] = loaded.Folder;
        Add(plugin, running);
        await ProvideTopicsAsync(loaded, running, cancellationToken).ConfigureAwait(false);
        return plugin;
    }

    private async Task ProvideTopicsAsync(LoadedPlugin loaded, Running running, CancellationToken cancellationToken)
    {
        try
        {
            if (loaded.Services.GetService<IPubSubProvider>() is { } provider)
            {
                await Task.Run(() => _topics.AttachAsync(provider, cancellationToken), cancellationToken)
                    .WaitAsync(running.Options.LoadTimeout, _time, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            await UnloadAsync(loaded.Name, running, cancellationToken).ConfigureAwait(false);
            MeshException failure = Unusable.Because(loaded.Folder, $"it could not provide topics ({Unusable.Describe(e)})", "Correct the plugin.", e);
            running.Journal.Record(new PluginFailed(loaded.Name, Notification: null, failure.Message));
            throw failure;
        }
    }

    private PluginRunner CreateRunner(string name, ChannelPatterns channels, HandlerSet handlers, IServiceScopeFactory scopes, Running running) =>
        new(name, channels, handlers, scopes, running.Options, running.Journal, _time, _logger, running.Failures);

    private void Add(HostedPlugin plugin, Running running)
    {
        lock (_mutex)
            _plugins.Add(plugin);
        if (plugin.Loaded is not null)
        {
            // Before its first handler can record anything.
            running.Journal.Record(new PluginLoaded(plugin.Runner.Name, plugin.Version));
            Log.PluginLoaded(_logger, plugin.Runner.Name, plugin.Version, plugin.Loaded.Folder);
        }

        plugin.Runner.Start();
        _dispatcher.Add(plugin.Runner);
        (plugin.Loaded?.Topics ?? _applicationTopics).Attach(plugin.Runner);
    }

    private async Task StopAllAsync(CancellationToken cancellationToken)
    {
        if (_running is not { } running)
            return;
        string[] names;
        lock (_mutex)
            names = [.. _plugins.Select(plugin => plugin.Runner.Name)];
        await Task.WhenAll(names.Select(name => UnloadAsync(name, running, cancellationToken))).ConfigureAwait(false);
        _folders.Clear();
        _running = null;
    }

    private async Task UnloadAsync(string name, Running running, CancellationToken cancellationToken)
    {
        HostedPlugin? plugin;
        lock (_mutex)
        {
            plugin = _plugins.Find(candidate => candidate.Runner.Name == name);
            if (plugin is null)
                return;
            _plugins.Remove(plugin);
        }

        _dispatcher.Remove(plugin.Runner);
        if (plugin.Loaded is not { } loaded)
        {
            // Its subscriptions stay: they are of the application, not of the node's run.
            _applicationTopics.Attach(runner: null);
            await plugin.Runner.StopAsync(cancellationToken).ConfigureAwait(false);
            return;
        }

        await plugin.Runner.StopAsync(cancellationToken).ConfigureAwait(false);
        if (loaded.Services.GetService<IPubSubProvider>() is { } provider)
            _topics.Detach(provider);
        await EndAsync(() => loaded.Topics.EndAsync()).ConfigureAwait(false);
        await EndAsync(() => loaded.Services.DisposeAsync().AsTask()).ConfigureAwait(false);
        SerializerCaches.Clear();
        loaded.Context.Unload();
        try
        {
            running.Journal.Record(new PluginUnloaded(name));
        }
        catch (MeshException e)
        {
            // Another process owns the log now, which is why the node stops.
            Log.ReportFailed(_logger, name, e);
        }

        Log.PluginUnloaded(_logger, name);

        // On the pool and under a time limit, like all code of plugins.
        async Task EndAsync(Func<Task> end)
        {
            try
            {
                await Task.Run(end, CancellationToken.None).WaitAsync(running.Options.StopTimeout, _time, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e)
            {
                Log.DisposeFailed(_logger, name, e);
            }
        }
    }

    /// <summary>What exists from start to stop.</summary>
    private sealed record Running(PluginOptions Options, IEventJournal Journal, PluginLoader Loader, IHandlerFailures? Failures);
}
