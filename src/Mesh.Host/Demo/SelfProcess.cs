using System.Diagnostics;
using EventMesh.Node;

namespace EventMesh.Host.Demo;

/// <summary>Starts this same program again.</summary>
internal static class SelfProcess
{
    // What is the demo's own to say. The rest of the environment stays: where PostgreSQL is, and the OTEL_* variables.
    private static readonly string[] OwnSettings =
        ["Listen", "Contacts", "Kind", "DataDirectory", "MeshName", "Store__ConnectionString", "Plugins__Directory"];

    /// <summary>A process with these arguments, without the settings of a node that the environment may have.</summary>
    public static ProcessStartInfo Create(params string[] arguments)
    {
        string program = Environment.ProcessPath ?? throw new InvalidOperationException("This process has no path.");
        ProcessStartInfo start = new(program);
        // Under `dotnet mesh.dll` the program is dotnet.
        if (string.Equals(Path.GetFileNameWithoutExtension(program), "dotnet", StringComparison.OrdinalIgnoreCase))
            start.ArgumentList.Add(typeof(SelfProcess).Assembly.Location);
        foreach (string argument in arguments) start.ArgumentList.Add(argument);
        foreach (string name in start.Environment.Keys.Where(IsOwnSetting).ToArray()) start.Environment.Remove(name);
        return start;
    }

    private static bool IsOwnSetting(string name)
    {
        string prefix = MeshOptions.SectionName + "__";
        return name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase)
            && OwnSettings.Any(s => name.AsSpan(prefix.Length).StartsWith(s, StringComparison.OrdinalIgnoreCase));
    }
}
