using System.Net;

namespace EventMesh.Trust.Internal;

/// <summary>Rules about DNS names of peers. Pure.</summary>
internal static class DnsNames
{
    private const int MaxName = 253;
    private const int MaxLabel = 63;

    /// <summary>Whether a text is a DNS name of letters, digits and hyphens, and no address.</summary>
    public static bool IsValid(string name) =>
        name.Length is > 0 and <= MaxName && !IPAddress.TryParse(name, out _) && name.Split('.').All(IsLabel);

    /// <summary>Whether a text is a name or a suffix: a name with a dot before it.</summary>
    public static bool IsValidRule(string rule) => IsValid(IsSuffix(rule) ? rule[1..] : rule);

    /// <summary>Whether a rule allows all names below a domain.</summary>
    public static bool IsSuffix(string rule) => rule.StartsWith('.');

    /// <summary>Whether a name is on an allow-list. <c>.example.org</c> allows the names below it, not <c>example.org</c> itself.</summary>
    public static bool IsAllowed(string name, IReadOnlyList<string> rules) => rules.Any(rule => IsSuffix(rule)
        ? name.Length > rule.Length && name.EndsWith(rule, StringComparison.OrdinalIgnoreCase)
        : string.Equals(name, rule, StringComparison.OrdinalIgnoreCase));

    private static bool IsLabel(string label) =>
        label.Length is > 0 and <= MaxLabel && label[0] != '-' && label[^1] != '-' && label.All(c => char.IsAsciiLetterOrDigit(c) || c == '-');
}
