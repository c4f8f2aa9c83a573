using System.Reflection;
using System.Runtime.Loader;

namespace EventMesh.Plugins.Loading.Internal;

/// <summary>
/// The assemblies of one plugin: the contract assemblies are the host's, so that their types are the same on both sides; everything else
/// is the plugin's own, so that two plugins may use two versions of a library.
/// </summary>
internal sealed class PluginLoadContext(string name, string assemblyPath) : AssemblyLoadContext(name, isCollectible: true)
{
    private readonly AssemblyDependencyResolver _resolver = new(assemblyPath);

    /// <summary>Whether an assembly is part of the contract between host and plugin.</summary>
    /// <remarks>Primitives holds the change tokens in the signatures of IConfiguration.</remarks>
    public static bool IsContract(string? name) =>
        name is "EventMesh.Abstractions" or "MediatR" or "Microsoft.Extensions.Primitives"
        || (name is not null
            && name.StartsWith("Microsoft.Extensions.", StringComparison.Ordinal)
            && name.EndsWith(".Abstractions", StringComparison.Ordinal));

    /// <summary>
    /// Loads an assembly without keeping its file open: a file that is replaced while it is mapped would crash the process.
    /// </summary>
    public Assembly LoadDetached(string path)
    {
        using var assembly = new MemoryStream(File.ReadAllBytes(path));
        string symbolsPath = Path.ChangeExtension(path, ".pdb");
        if (!File.Exists(symbolsPath))
            return LoadFromStream(assembly);
        using var symbols = new MemoryStream(File.ReadAllBytes(symbolsPath));
        return LoadFromStream(assembly, symbols);
    }

    protected override Assembly? Load(AssemblyName assemblyName)
    {
        if (IsContract(assemblyName.Name))
            return null;
        if (_resolver.ResolveAssemblyToPath(assemblyName) is { } path)
            return LoadDetached(path);
        // Null lets the plugin use the framework's assemblies, and would let it find the host's private libraries too: it would work by
        // accident and break with the next host. Only the latter lie beside the host's program.
        if (File.Exists(Path.Combine(AppContext.BaseDirectory, $"{assemblyName.Name}.dll")))
            throw new FileLoadException($"The plugin's folder lacks '{assemblyName.Name}.dll'; the host's own is not shared with plugins.");
        return null;
    }

    protected override nint LoadUnmanagedDll(string unmanagedDllName) =>
        _resolver.ResolveUnmanagedDllToPath(unmanagedDllName) is { } path ? LoadUnmanagedDllFromPath(path) : 0;
}
