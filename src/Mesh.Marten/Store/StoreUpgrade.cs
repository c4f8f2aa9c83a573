namespace EventMesh.Marten.Store;

/// <summary>What <see cref="StoreAdministration.UpgradeAsync"/> did to the cluster of a private server.</summary>
/// <param name="Directory">The cluster, PostgreSQL's data directory.</param>
/// <param name="From">The major version of PostgreSQL that it had.</param>
/// <param name="To">The one that it has now; the same when no newer one is installed, and then nothing was done.</param>
/// <param name="Kept">Where the old cluster is kept; null when nothing was done. It may be removed once the node has run on the new one.</param>
/// <param name="Logs">The logs that were compared: how many nodes'. 0 also where an earlier attempt had compared them.</param>
/// <param name="Events">The last places of those logs, added up.</param>
/// <param name="Findings">What an audit finds wrong in the old logs, and so in the new ones too: they are carried over as they are.</param>
public sealed record StoreUpgrade(string Directory, int From, int To, string? Kept, int Logs, long Events, int Findings);
