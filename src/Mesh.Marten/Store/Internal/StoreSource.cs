using Npgsql;

namespace EventMesh.Marten.Store.Internal;

/// <summary>Makes the connections to the store as the options say.</summary>
internal static class StoreSource
{
    /// <summary>For one connection at a time, to the primary where there are several hosts.</summary>
    public static NpgsqlDataSource Build(MeshStoreOptions options, string connectionString, bool isPrivate) =>
        StoreServers.Create(Prepare(options, connectionString, isPrivate), readFromReplica: false).Primary;

    /// <summary>For a node.</summary>
    public static StoreServers Open(MeshStoreOptions options, string connectionString, bool isPrivate) =>
        StoreServers.Create(Prepare(options, connectionString, isPrivate), options.ReadFromReplica);

    private static NpgsqlDataSourceBuilder Prepare(MeshStoreOptions options, string connectionString, bool isPrivate)
    {
        var builder = new NpgsqlDataSourceBuilder(connectionString);
        ConnectionBudget.Apply(builder.ConnectionStringBuilder, isPrivate);
        if (!isPrivate && !string.IsNullOrWhiteSpace(options.PasswordFile))
        {
            string file = Path.GetFullPath(options.PasswordFile);
            // Here a mistake is one of the configuration; later, perhaps while the file is being replaced, it is an outage.
            _ = PasswordFile.Read(file);
            builder.UsePasswordProvider(_ => PasswordFile.Read(file), (_, _) => ValueTask.FromResult(PasswordFile.Read(file)));
        }
        return builder;
    }
}
