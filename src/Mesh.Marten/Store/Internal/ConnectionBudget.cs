using Npgsql;

namespace EventMesh.Marten.Store.Internal;

/// <summary>How many connections a node opens (docs/fleet.md).</summary>
internal static class ConnectionBudget
{
    /// <summary>The fewest with which a node works: one for the lease, one to listen, one to append, one to fold, one for queries.</summary>
    public const int Least = 5;

    /// <summary>Where the connection string does not say: a hundred nodes would otherwise be let open Npgsql's hundred each.</summary>
    public const int Default = 12;

    private const int Private = 20;
    private const int MostFolds = 4;
    private const string PoolSize = "Maximum Pool Size";

    public static void Apply(NpgsqlConnectionStringBuilder builder, bool isPrivate)
    {
        builder.ApplicationName ??= "eventmesh";
        if (isPrivate)
        {
            builder.MaxPoolSize = Private;
            builder.Timeout = 5;
            return;
        }
        if (!builder.ShouldSerialize(PoolSize))
            builder.MaxPoolSize = Math.Max(Default, builder.MinPoolSize);
        // A server that has vanished is noticed in seconds. A socket file refuses these.
        if (!(builder.Host ?? "").Contains('/', StringComparison.Ordinal) && !builder.TcpKeepAlive && builder.TcpKeepAliveTime == 0)
        {
            builder.TcpKeepAlive = true;
            builder.TcpKeepAliveTime = 5;
            builder.TcpKeepAliveInterval = 2;
        }
    }

    /// <summary>How many projections the leader folds at a time: a small pool keeps room for appends and queries.</summary>
    public static int Folds(NpgsqlConnectionStringBuilder builder) => Math.Clamp((builder.MaxPoolSize - 3) / 2, 1, MostFolds);
}
