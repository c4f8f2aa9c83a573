namespace EventMesh.Architecture;

internal static class NamePattern
{
    /// <summary>Whether the name is the pattern, in which one * stands for any text.</summary>
    public static bool Matches(this string name, string pattern)
    {
        int star = pattern.IndexOf('*');
        return star < 0
            ? name == pattern
            : name.Length >= pattern.Length - 1
                && name.StartsWith(pattern[..star], StringComparison.Ordinal)
                && name.EndsWith(pattern[(star + 1)..], StringComparison.Ordinal);
    }
}
