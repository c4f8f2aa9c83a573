using System.Text;
using EventMesh.Wire.Frames;

namespace EventMesh.Wire;

/// <summary>Whether a Hello is well-formed, before anybody looks at what it says.</summary>
internal static class HelloCheck
{
    private const int IdLength = 16;

    /// <summary>What is wrong with it; null for nothing.</summary>
    public static string? FaultOf(Hello hello)
    {
        if (hello.Kind is not (Kind.Node or Kind.Client)) return "A Hello without a kind.";
        if (hello.Instance.Length != IdLength || hello.LinkId.Length != IdLength) return "A Hello without instance or link id.";
        if (hello.Listen.Count > WireLimits.ListenEndpoints) return "A Hello with too many endpoints.";
        if (IsLonger(hello.Mesh, WireLimits.MeshName) || IsLonger(hello.Agent, WireLimits.Agent) || IsLonger(hello.DnsName, WireLimits.DnsName))
            return "A Hello with a name too long.";
        // They are shown to operators, whose terminals would obey.
        if (hello.Agent.Any(char.IsControl) || hello.DnsName.Any(char.IsControl)) return "A Hello with control characters in a name.";
        return null;
    }

    private static bool IsLonger(string text, int bytes) => text.Length > bytes || Encoding.UTF8.GetByteCount(text) > bytes;
}
