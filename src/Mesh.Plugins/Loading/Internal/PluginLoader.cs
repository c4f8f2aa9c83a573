using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using EventMesh.Journal;
using EventMesh.Plugins.Dispatch.Internal;
using EventMesh.Plugins.Internal;
using EventMesh.Plugins.PubSub.Internal;
using EventMesh.PubSub;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace EventMesh.Plugins.Loading.Internal;

/// <summary>Turns a folder into a configured plugin, or says in one <see cref="MeshException"/> why it can't.</summary>
/// <param name="mesh">The node.</param>
/// <param name="journal">The node's log.</param>
/// <param name="topics">Where plugins subscribe and publish.</param>
/// <param name="configuration">The section that holds a section for each plugin.</param>
/// <param name="loggers">The host's loggers.</param>
/// <param name="time">The host's clock.</param>
internal sealed partial class PluginLoader(
    IMesh mesh, IEventJournal journal, PubSubHub topics, IConfiguration configuration, ILoggerFactory loggers, TimeProvider time)
{
    /// <summary>The name of the application's own handlers.</summary>
    public const string ApplicationName = "app";

    private const string Correct = "Correct the plugin.";
    private readonly ILogger _logger = loggers.CreateLogger(typeof(PluginHost).FullName!);

    /// <summary>Loads a plugin.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="taken">The names in use.</param>
    /// <exception cref="MeshException">The plugin is unusable; nothing of it is left.</exception>
    public LoadedPlugin Load(string folder, IReadOnlySet<string> taken)
    {
        folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        PluginLoadContext? context = null;
        try
        {
            string path = PluginAssemblyFile.Find(folder).Path;
            context = new PluginLoadContext(Path.GetFileName(folder), path);
            return Load(folder, context, path, taken);
        }
        catch (Exception e)
        {
            context?.Unload();
            if (e is MeshException)
                throw;
            throw Unusable.Because(folder, $"it could not be read ({Unusable.Describe(e)})", "Copy the plugin's whole build output here.", e);
        }
    }

    // Not inlined, so that no local of the plugin's types outlives a failure in the frame that unloads it.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private LoadedPlugin Load(string folder, PluginLoadContext context, string path, IReadOnlySet<string> taken)
    {
        Assembly assembly = context.LoadDetached(path);
        IMeshPlugin plugin = Create(folder, assembly);
        string name = Guard(folder, $"its {nameof(IMeshPlugin.Name)} threw", Correct, () => plugin.Name);
        if (name is null || !NamePattern().IsMatch(name))
            throw Unusable.Because(folder, $"its name is '{name}'", "A plugin's name has 1 to 64 characters a-z, 0-9 and hyphen.");
        if (string.Equals(name, ApplicationName, StringComparison.Ordinal))
            throw Unusable.Because(folder, $"its name is '{name}', which stands for the application", "Give the plugin another name.");
        if (taken.Contains(name))
            throw Unusable.Because(folder, $"another plugin is named '{name}' too", "Remove one of the two folders, or rename one of the plugins.");

        ChannelPatterns channels = Guard(folder, $"its {nameof(IMeshPlugin.Channels)} can't be used", Correct, () => new ChannelPatterns(plugin.Channels));
        HandlerSet handlers = new HandlerSet().Scan(assembly);
        if (handlers.RequestHandlers.Count > 1)
        {
            throw Unusable.Because(
                folder, $"it has several handlers of requests ({string.Join(", ", handlers.RequestHandlers)})",
                "Keep one; it can look at the request's channel.");
        }

        if (handlers.LargeMessageHandlers.Count > 1)
        {
            throw Unusable.Because(
                folder, $"it has several handlers of large messages ({string.Join(", ", handlers.LargeMessageHandlers)})",
                "Keep one; it can look at the message's channel.");
        }

        foreach ((string handler, string notification) in handlers.NeverCalled)
            Log.HandlerNeverCalled(_logger, name, handler, notification);
        var pluginTopics = new PluginPubSub(topics);
        ServiceProvider services = BuildServices(folder, plugin, name, handlers, pluginTopics);
        return new(name, VersionOf(assembly), folder, channels, handlers, services, pluginTopics, context);
    }

    /// <summary>The version that people know: with the label of a pre-release, without the commit behind a plus sign.</summary>
    public static string VersionOf(Assembly assembly)
    {
        string? informational = assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion;
        return informational?.Split('+')[0] ?? assembly.GetName().Version?.ToString() ?? "0.0.0";
    }

    private static IMeshPlugin Create(string folder, Assembly assembly)
    {
        Type[] types =
        [
            .. assembly.GetExportedTypes().Where(type => type is { IsClass: true, IsAbstract: false } && type.IsAssignableTo(typeof(IMeshPlugin)))
        ];
        string file = $"{assembly.GetName().Name}.dll";
        if (types is not [var only])
        {
            throw types.Length == 0
                ? Unusable.Because(folder, $"'{file}' has no public class that implements {nameof(IMeshPlugin)}", "Add one, or make it public.")
                : Unusable.Because(
                    folder, $"'{file}' has several plugins ({string.Join(", ", types.Select(type => type.Name))})",
                    "Give each an assembly and a folder of its own.");
        }

        if (only.IsGenericTypeDefinition || only.GetConstructor(Type.EmptyTypes) is null)
            throw Unusable.Because(folder, $"its class {only.Name} has no public constructor without parameters", "Add one.");
        return Guard(folder, $"its class {only.Name} could not be created", Correct, () => (IMeshPlugin)Activator.CreateInstance(only)!);
    }

    private ServiceProvider BuildServices(string folder, IMeshPlugin plugin, string name, HandlerSet handlers, PluginPubSub pluginTopics)
    {
        // A copy: a plugin that listens for changes of the host's configuration could never be unloaded.
        IConfigurationRoot settings = new ConfigurationBuilder()
            .AddInMemoryCollection(configuration.GetSection(name).AsEnumerable(makePathsRelative: true).Where(pair => pair.Value is not null))
            .Build();
        var services = new ServiceCollection();
        // Instances: the plugin's container does not dispose what is the host's.
        services.AddSingleton(mesh);
        services.AddSingleton<IPluginLog>(new PluginLog(name, journal));
        services.AddSingleton<IPubSub>(pluginTopics);
        services.AddSingleton(loggers);
        services.AddSingleton(typeof(ILogger<>), typeof(Logger<>));
        services.AddSingleton<IConfiguration>(settings);
        services.AddSingleton(time);
        string checkSettings = $"Check its settings in {PluginOptions.SectionName}:Settings:{name}, or correct the plugin.";
        Guard(folder, $"its {nameof(IMeshPlugin.Configure)} threw", checkSettings, () =>
        {
            plugin.Configure(services, settings);
            return true;
        });
        handlers.AddTo(services);
        return Guard(
            folder, "its services don't fit together", Correct,
            () => services.BuildServiceProvider(new ServiceProviderOptions { ValidateOnBuild = true, ValidateScopes = true }));
    }

    private static T Guard<T>(string folder, string cause, string remedy, Func<T> call)
    {
        try
        {
            return call();
        }
        catch (Exception e)
        {
            throw Unusable.Because(folder, $"{cause} ({Unusable.Describe(e)})", remedy, e);
        }
    }

    [GeneratedRegex("^[a-z0-9-]{1,64}\\z", RegexOptions.CultureInvariant)]
    private static partial Regex NamePattern();
}
