using EventMesh.Marten.Embedded.Internal;

namespace EventMesh.Marten.Embedded;

/// <summary>Where a private server keeps its files, and as whom it runs.</summary>
/// <param name="Directory">The folder with the cluster (<c>data</c>), the server's log and the lock. Only the server's user can enter it.</param>
/// <param name="SocketDirectory">The folder of the Unix socket, mode 0700.</param>
/// <param name="User">The user that the server runs as; null for the user of this process.</param>
public sealed record PrivatePostgresLocation(string Directory, string SocketDirectory, string? User)
{
    /// <summary>The cluster, PostgreSQL's data directory.</summary>
    public string DataDirectory => Path.Combine(Directory, "data");

    /// <summary>The server's log: at most 1 MiB, then begun anew; the one before is kept as <c>server.log.1</c>.</summary>
    public string LogFile => Path.Combine(Directory, "server.log");

    /// <summary>Held by the process that runs the server.</summary>
    public string LockFile => Path.Combine(Directory, "lock");

    /// <summary>The Unix socket while the server runs.</summary>
    public string SocketFile => Path.Combine(SocketDirectory, $".s.PGSQL.{Port}");

    /// <summary>The Npgsql connection string, without a secret: the kernel tells the server who connects.</summary>
    public string ConnectionString =>
        $"Host={SocketDirectory};Username={ClusterFiles.Role};Database={ClusterFiles.Database}{(Port == ClusterFiles.Port ? "" : $";Port={Port}")}";

    // Only the name of the socket. An upgrade has others, so that nobody who looks for the node's server meets a server of the upgrade.
    internal int Port { get; init; } = ClusterFiles.Port;
}
