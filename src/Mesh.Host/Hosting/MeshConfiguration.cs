using EventMesh.Node;
using Microsoft.Extensions.Configuration;

namespace EventMesh.Host.Hosting;

/// <summary>Where the configuration comes from, the later the stronger: file, environment, command line.</summary>
internal static class MeshConfiguration
{
    /// <summary>The file that is read from the working directory when none is named.</summary>
    public const string DefaultFile = "appsettings.json";

    /// <summary>Reads the configuration.</summary>
    /// <param name="file">The file; null for <see cref="DefaultFile"/> where there is one.</param>
    /// <param name="arguments">What the command line sets.</param>
    /// <exception cref="MeshException"><see cref="MeshError.InvalidConfiguration"/>: the file is missing or is not JSON.</exception>
    public static IConfigurationRoot Build(string? file, NodeArguments arguments)
    {
        string path = Path.GetFullPath(file ?? DefaultFile);
        if (file is not null && !File.Exists(path))
            throw new MeshException(MeshError.InvalidConfiguration, $"There is no configuration file {path}. Name one that exists with --config.");
        ConfigurationBuilder builder = new();
        if (File.Exists(path)) builder.AddJsonFile(path, optional: false, reloadOnChange: false);
        builder.AddEnvironmentVariables();
        builder.AddInMemoryCollection(ToSettings(arguments));
        try
        {
            return builder.Build();
        }
        catch (InvalidDataException e)
        {
            string cause = e.InnerException?.InnerException?.Message ?? e.InnerException?.Message ?? e.Message;
            throw new MeshException(MeshError.InvalidConfiguration, $"The configuration file {path} is not valid JSON: {cause}", e);
        }
    }

    private static Dictionary<string, string?> ToSettings(NodeArguments arguments)
    {
        Dictionary<string, string?> settings = [];
        Set("Listen", arguments.Listen);
        Set("Kind", arguments.Kind?.ToString());
        Set("DataDirectory", arguments.Data);
        Set("MeshName", arguments.MeshName);
        Set("Store:ConnectionString", arguments.Store);
        Set("Plugins:Directory", arguments.Plugins);
        return settings;

        void Set(string key, string? value)
        {
            if (value is not null) settings[$"{MeshOptions.SectionName}:{key}"] = value;
        }
    }
}
