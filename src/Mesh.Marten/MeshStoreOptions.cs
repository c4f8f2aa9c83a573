namespace EventMesh.Marten;

/// <summary>Where the log is kept: section <c>EventMesh:Store</c>.</summary>
public sealed class MeshStoreOptions
{
    /// <summary>The configuration section.</summary>
    public const string SectionName = "EventMesh:Store";

    /// <value>
    /// A PostgreSQL server, 14 or newer, as an Npgsql connection string; of several hosts, <c>Host=a,b</c>, the one that is the primary. Defaults to null: the node starts a private server from the binaries on
    /// this machine and stops it with itself.
    /// </value>
    public string? ConnectionString { get; set; }

    /// <value>
    /// A file that holds the password for <see cref="ConnectionString"/> and nothing else, open to its owner only (mode 0600 or 0400). It is read for each new
    /// connection, so that a changed password needs no restart. Defaults to null: the connection string has it, or <c>PGPASSWORD</c>, <c>PGPASSFILE</c> or a
    /// <c>Passfile</c> as libpq knows them.
    /// </value>
    public string? PasswordFile { get; set; }

    /// <value>
    /// The folder with <c>initdb</c> and <c>postgres</c> for the private server. Defaults to null: the newest of <c>/usr/lib/postgresql/*/bin</c>,
    /// then the search path; for an existing cluster the one of its version.
    /// </value>
    public string? PostgresBin { get; set; }

    /// <value>
    /// Whether queries go to a standby when the connection string names several hosts; the log itself is always written to the primary. A standby may be
    /// behind: answers say up to which place they know the log. Without a standby the primary answers. Defaults to false.
    /// </value>
    public bool ReadFromReplica { get; set; }

    /// <value>
    /// The schema of the log and its views: a lower-case letter, then at most 30 of a-z, 0-9 and _. Nodes that share a database and a schema are
    /// tenants of one log. Defaults to <c>mesh</c>.
    /// </value>
    public string Schema { get; set; } = "mesh";

    /// <value>
    /// Whether the node makes and upgrades the schema at its start, for which its role must own it. When not, it refuses to start on a schema that is
    /// missing or older and names the command: <c>mesh store migrate</c>, or <c>mesh store script</c> for somebody else to run. Defaults to true.
    /// </value>
    public bool AutoMigrate { get; set; } = true;

    /// <value>
    /// For how long an event may wait for a projection before the node's health says <c>degraded</c>. Defaults to 1 minute; 1 second to 1 day.
    /// </value>
    public TimeSpan ProjectionLagLimit { get; set; } = TimeSpan.FromMinutes(1);
}
