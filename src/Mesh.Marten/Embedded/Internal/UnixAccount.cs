using System.Globalization;

namespace EventMesh.Marten.Embedded.Internal;

/// <summary>A user of this machine, from the passwd file.</summary>
internal sealed record UnixAccount(string Name, int UserId, int GroupId)
{
    // PostgreSQL refuses to run as root, so root hands it to the first of these that exists.
    private static readonly string[] ServerAccounts = ["eventmesh", "postgres", "nobody"];

    public static UnixAccount ForServer() =>
        ServerAccounts.Select(Find).FirstOrDefault(account => account is not null)
        ?? throw new MeshException(
            MeshError.StoreUnavailable,
            $"PostgreSQL does not run as root, and none of the users {string.Join(", ", ServerAccounts)} exists. Create the user 'postgres', or set EventMesh:Store:ConnectionString.");

    public static UnixAccount? Find(string name) => Read().FirstOrDefault(account => string.Equals(account.Name, name, StringComparison.Ordinal));

    private static IEnumerable<UnixAccount> Read()
    {
        if (!File.Exists("/etc/passwd"))
            yield break;
        foreach (string line in File.ReadLines("/etc/passwd"))
        {
            string[] fields = line.Split(':');
            if (fields.Length >= 4 && int.TryParse(fields[2], CultureInfo.InvariantCulture, out int user)
                && int.TryParse(fields[3], CultureInfo.InvariantCulture, out int group))
                yield return new UnixAccount(fields[0], user, group);
        }
    }
}
