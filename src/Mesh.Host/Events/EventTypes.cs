using EventMesh.Journal;

namespace EventMesh.Host.Events;

/// <summary>Events by the names that people give: a name on disk with or without its version, or the beginning of names and a star.</summary>
internal static class EventTypes
{
    /// <summary>The names on disk that are meant; null for none given, which is all.</summary>
    /// <exception cref="MeshException"><see cref="MeshError.InvalidConfiguration"/>: one of them means no event.</exception>
    public static IReadOnlyList<string>? Select(IReadOnlyList<string>? names)
    {
        if (names is not { Count: > 0 }) return null;
        return
        [
            .. names.SelectMany(name =>
            {
                string[] found = [.. EventRegistry.Default.All.Select(descriptor => descriptor.WireName).Where(wire => Matches(wire, name))];
                return found.Length > 0
                    ? found
                    : throw new MeshException(
                        MeshError.InvalidConfiguration, $"There is no event '{name}': give a name such as peer.joined, or the beginning of names such as 'trust.*'.");
            }).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal),
        ];
    }

    private static bool Matches(string wire, string name) => name.EndsWith('*')
        ? wire.StartsWith(name[..^1], StringComparison.OrdinalIgnoreCase)
        : wire.Equals(name, StringComparison.OrdinalIgnoreCase) || wire[..wire.LastIndexOf('.')].Equals(name, StringComparison.OrdinalIgnoreCase);
}
