namespace EventMesh.Host.Hosting;

/// <summary>What the command line of <c>mesh run</c> sets; null and empty leave the configuration as it is.</summary>
internal sealed record NodeArguments
{
    /// <value>The UDP address to bind.</value>
    public string? Listen { get; init; }

    /// <value>The hard-coded contacts; any replace all those of the configuration.</value>
    public IReadOnlyList<string> Contacts { get; init; } = [];

    /// <value>What the node is.</value>
    public PeerKind? Kind { get; init; }

    /// <value>The data directory.</value>
    public string? Data { get; init; }

    /// <value>PostgreSQL's connection string.</value>
    public string? Store { get; init; }

    /// <value>The mesh's name.</value>
    public string? MeshName { get; init; }

    /// <value>The folder of plugin folders.</value>
    public string? Plugins { get; init; }
}
