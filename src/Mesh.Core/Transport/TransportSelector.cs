namespace EventMesh.Transport;

/// <summary>Chooses the transport of a node from those that are registered.</summary>
/// <param name="providers">The providers, in any order.</param>
public sealed class TransportSelector(IEnumerable<ITransportProvider> providers)
{
    /// <summary>The name that lets the first provider that works be taken.</summary>
    public const string Auto = "auto";

    private readonly ITransportProvider[] _providers =
        [.. providers.OrderBy(provider => provider.Order).ThenBy(provider => provider.Name, StringComparer.Ordinal)];

    /// <summary>Asks each provider whether it can work here, in the order in which <see cref="Auto"/> tries them.</summary>
    public IReadOnlyList<TransportProbe> Probe() => [.. _providers.Select(provider => new TransportProbe(provider.Name, provider.Probe()))];

    /// <summary>Makes the transport of a name.</summary>
    /// <param name="name">A provider's name, or <see cref="Auto"/> for the first that works; case does not matter.</param>
    /// <exception cref="MeshException">
    /// <see cref="MeshError.InvalidConfiguration"/>: no provider has the name; <see cref="MeshError.TransportUnavailable"/>: it, or
    /// with <see cref="Auto"/> each of them, can't work here; the message says what to install.
    /// </exception>
    public TransportSelection Select(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        IReadOnlyList<TransportProbe> probes = Probe();
        return Matches(name, Auto) ? SelectFirst(probes) : SelectNamed(name, probes);
    }

    private static bool Matches(string name, string other) => string.Equals(name, other, StringComparison.OrdinalIgnoreCase);

    private static string Describe(TransportProbe probe) => probe.Support.IsSupported
        ? $"{probe.Name} ({probe.Support.Detail})"
        : $"{probe.Name}: {probe.Support.Detail} {probe.Support.Remedy}".TrimEnd();

    private TransportSelection SelectNamed(string name, IReadOnlyList<TransportProbe> probes)
    {
        int index = Array.FindIndex(_providers, provider => Matches(name, provider.Name));
        if (index < 0)
        {
            throw new MeshException(MeshError.InvalidConfiguration,
                $"There is no transport '{name}'; use {string.Join(", ", _providers.Select(provider => provider.Name).Prepend(Auto))}.");
        }
        if (!probes[index].Support.IsSupported)
            throw new MeshException(MeshError.TransportUnavailable, $"The configured transport can't be used here. {Describe(probes[index])}");
        return new TransportSelection(_providers[index].Create(), $"{Describe(probes[index])}, as configured.", probes);
    }

    private TransportSelection SelectFirst(IReadOnlyList<TransportProbe> probes)
    {
        for (int i = 0; i < _providers.Length; i++)
        {
            if (!probes[i].Support.IsSupported)
                continue;
            string reason = i == 0
                ? $"{Describe(probes[i])}, the first choice."
                : $"{Describe(probes[i])}, since {string.Join("; ", probes.Take(i).Select(probe => $"{probe.Name} can't be used: {probe.Support.Detail}"))}";
            return new TransportSelection(_providers[i].Create(), reason, probes);
        }
        string causes = probes.Count == 0 ? "None is registered." : string.Join(" ", probes.Select(Describe));
        throw new MeshException(MeshError.TransportUnavailable, $"No QUIC transport can be used here. {causes}");
    }
}
