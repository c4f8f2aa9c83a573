using EventMesh.Diagnostics;

namespace EventMesh.Sessions.Internal;

/// <summary>What this program calls itself to peers.</summary>
internal static class MeshAgent
{
    public static string Name { get; } = $"EventMesh/{MeshTelemetry.Version}";
}
