using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using EventMesh.Plugins.Internal;

namespace EventMesh.Plugins.Loading.Internal;

/// <summary>What an assembly says of itself in its metadata, read without running any of its code.</summary>
/// <param name="Path">The file.</param>
/// <param name="ContractVersion">The version of EventMesh.Abstractions that it was compiled against; null when it does not reference it.</param>
/// <param name="UsesPluginInterface">Whether it references <see cref="IMeshPlugin"/>.</param>
internal sealed record PluginAssemblyFile(string Path, Version? ContractVersion, bool UsesPluginInterface)
{
    /// <summary>Reads a file; null when it is not a .NET assembly.</summary>
    public static PluginAssemblyFile? Read(string path)
    {
        using FileStream stream = File.OpenRead(path);
        using var image = new PEReader(stream);
        try
        {
            if (!image.HasMetadata)
                return null;
            MetadataReader metadata = image.GetMetadataReader();
            if (!metadata.IsAssembly)
                return null;
            Version? contract = metadata.AssemblyReferences
                .Select(metadata.GetAssemblyReference)
                .Where(reference => metadata.StringComparer.Equals(reference.Name, "EventMesh.Abstractions"))
                .Select(reference => reference.Version)
                .FirstOrDefault();
            return new(path, contract, contract is not null && metadata.TypeReferences.Any(handle => IsPluginInterface(metadata, handle)));
        }
        catch (BadImageFormatException)
        {
            return null;
        }
    }

    /// <summary>
    /// Finds a plugin folder's assembly: the one named like the folder, else the only one that uses <see cref="IMeshPlugin"/>.
    /// </summary>
    /// <exception cref="MeshException">There is none, or more than one, or it is not for this host.</exception>
    public static PluginAssemblyFile Find(string folder)
    {
        string named = System.IO.Path.Combine(folder, $"{System.IO.Path.GetFileName(folder)}.dll");
        PluginAssemblyFile file;
        if (File.Exists(named))
        {
            file = Read(named)
                ?? throw Unusable.Because(folder, $"'{System.IO.Path.GetFileName(named)}' is not a .NET assembly", "Build the plugin again and copy its whole output here.");
        }
        else
        {
            file = FindAmong(folder, [.. Directory.EnumerateFiles(folder, "*.dll").Order(StringComparer.Ordinal)]);
        }

        CheckContract(folder, file);
        return file;
    }

    private static PluginAssemblyFile FindAmong(string folder, string[] paths)
    {
        if (paths.Length == 0)
            throw Unusable.Because(folder, "it holds no dll", "Copy the plugin's build output here, or remove the folder.");
        PluginAssemblyFile?[] files = [.. paths.Select(Read)];
        PluginAssemblyFile[] candidates = [.. files.OfType<PluginAssemblyFile>().Where(file => file.UsesPluginInterface)];
        return candidates switch
        {
            [var only] => only,
            [] when files.All(file => file is null) => throw Unusable.Because(
                folder, $"'{System.IO.Path.GetFileName(paths[0])}' is not a .NET assembly", "Build the plugin again and copy its whole output here."),
            [] => throw Unusable.Because(folder, "no assembly in it has a plugin", $"Add a public class that implements {nameof(IMeshPlugin)}."),
            _ => throw Unusable.Because(
                folder, $"several assemblies in it may be the plugin ({string.Join(", ", candidates.Select(file => System.IO.Path.GetFileName(file.Path)))})",
                "Name the folder like the plugin's assembly, or give each plugin a folder of its own."),
        };
    }

    private static void CheckContract(string folder, PluginAssemblyFile file)
    {
        string name = System.IO.Path.GetFileName(file.Path);
        if (file.ContractVersion is not { } wanted)
            throw Unusable.Because(folder, $"'{name}' does not use EventMesh.Abstractions, so it has no plugin", $"Add a public class that implements {nameof(IMeshPlugin)}.");
        Version offered = typeof(IMeshPlugin).Assembly.GetName().Version!;
        if (wanted.Major != offered.Major)
        {
            throw Unusable.Because(
                folder, $"'{name}' was compiled for plugin API {wanted.Major}, and this host has {offered.Major}",
                $"Compile it against EventMesh.Abstractions with plugin API {offered.Major}, or use the matching host.");
        }

        if (wanted.Minor > offered.Minor)
        {
            throw Unusable.Because(
                folder, $"'{name}' was compiled for plugin API {wanted.ToString(2)}, and this host has {offered.ToString(2)}",
                "Use a newer host, or compile the plugin against the older EventMesh.Abstractions.");
        }
    }

    private static bool IsPluginInterface(MetadataReader metadata, TypeReferenceHandle handle)
    {
        TypeReference type = metadata.GetTypeReference(handle);
        return metadata.StringComparer.Equals(type.Name, nameof(IMeshPlugin))
            && metadata.StringComparer.Equals(type.Namespace, typeof(IMeshPlugin).Namespace!);
    }
}
