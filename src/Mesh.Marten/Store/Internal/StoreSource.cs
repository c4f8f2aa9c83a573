using Npgsql;

namespace EventMesh.Marten.Store.Internal;

/// <summary>Makes the connections to the store as the options say.</summary>
internal static class StoreSource
{
    public static NpgsqlDataSource Build(MeshStoreOptions options, string connectionString, bool isPrivate)
    {
        var builder = new NpgsqlDataSourceBuilder(connectionString);
        builder.ConnectionStringBuilder.ApplicationName ??= "eventmesh";
        if (isPrivate)
        {
            builder.ConnectionStringBuilder.MaxPoolSize = 20;
            builder.ConnectionStringBuilder.Timeout = 5;
        }
        else if (!string.IsNullOrWhiteSpace(options.PasswordFile))
        {
            string file = Path.GetFullPath(options.PasswordFile);
            // Here a mistake is one of the configuration; later, perhaps while the file is being replaced, it is an outage.
            _ = PasswordFile.Read(file);
            builder.UsePasswordProvider(_ => PasswordFile.Read(file), (_, _) => ValueTask.FromResult(PasswordFile.Read(file)));
        }
        return builder.Build();
    }
}
