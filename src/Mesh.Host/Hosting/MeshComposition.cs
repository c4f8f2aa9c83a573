using EventMesh.Marten;
using EventMesh.Node;
using EventMesh.Plugins;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace EventMesh.Host.Hosting;

/// <summary>The node with all its features, for <c>mesh run</c> and <c>mesh doctor</c> alike.</summary>
internal static class MeshComposition
{
    /// <summary>Reads all settings, so that a mistake is told before anything is started.</summary>
    public static readonly IReadOnlyList<Func<IServiceProvider, object>> OptionReaders =
    [
        services => services.GetRequiredService<IOptions<MeshOptions>>().Value,
        services => services.GetRequiredService<IOptions<MeshStoreOptions>>().Value,
        services => services.GetRequiredService<IOptions<PluginOptions>>().Value,
    ];

    /// <summary>Adds the node.</summary>
    public static IServiceCollection AddMesh(this IServiceCollection services, IConfiguration configuration, NodeArguments arguments)
    {
        services.AddEventMesh(configuration.GetSection(MeshOptions.SectionName))
            .AddNgtcp2()
            .UseMarten()
            .AddPlugins();
        // The binder merges lists by index: the command line's contacts replace those of the file and the environment instead.
        if (arguments.Contacts.Count > 0) services.PostConfigure<MeshOptions>(options => options.Contacts = [.. arguments.Contacts]);
        return services;
    }

    /// <summary>Reads all settings.</summary>
    /// <exception cref="MeshException"><see cref="MeshError.InvalidConfiguration"/>: some can't be read or are out of range; the message names all of the latter.</exception>
    public static void CheckOptions(this IServiceProvider services)
    {
        List<string> failures = [];
        foreach (Func<IServiceProvider, object> read in OptionReaders)
        {
            try
            {
                read(services);
            }
            catch (OptionsValidationException e)
            {
                failures.AddRange(e.Failures);
            }
            catch (InvalidOperationException e)
            {
                // The binder's own: it names the key and the value.
                failures.Add(e.InnerException is { } inner ? $"{e.Message} {inner.Message}" : e.Message);
            }
        }
        if (failures.Count == 0) return;
        string list = failures.Count == 1 ? failures[0] : Environment.NewLine + string.Join(Environment.NewLine, failures.Select(f => "  - " + f));
        throw new MeshException(MeshError.InvalidConfiguration, $"The configuration is not valid: {list}");
    }
}
