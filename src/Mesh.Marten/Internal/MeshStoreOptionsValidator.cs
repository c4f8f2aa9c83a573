using System.Text.RegularExpressions;
using EventMesh.Marten.Store.Internal;
using Microsoft.Extensions.Options;
using Npgsql;

namespace EventMesh.Marten.Internal;

internal sealed partial class MeshStoreOptionsValidator : IValidateOptions<MeshStoreOptions>
{
    public ValidateOptionsResult Validate(string? name, MeshStoreOptions options)
    {
        var errors = new List<string>();
        // The schema's name becomes part of SQL text, where no parameter can stand.
        if (!SchemaName().IsMatch(options.Schema))
            errors.Add($"EventMesh:Store:Schema '{options.Schema}' is not a schema name: a lower-case letter, then at most 30 of a-z, 0-9 and _.");
        else if (options.Schema.StartsWith("pg_", StringComparison.Ordinal))
            errors.Add($"EventMesh:Store:Schema '{options.Schema}' is PostgreSQL's own: names must not begin with pg_.");
        if (options.ProjectionLagLimit < TimeSpan.FromSeconds(1) || options.ProjectionLagLimit > TimeSpan.FromDays(1))
            errors.Add($"EventMesh:Store:ProjectionLagLimit {options.ProjectionLagLimit} is not between 1 second and 1 day.");
        if (!string.IsNullOrWhiteSpace(options.ConnectionString))
        {
            try
            {
                var builder = new NpgsqlConnectionStringBuilder(options.ConnectionString);
                if (string.IsNullOrEmpty(builder.Host))
                    errors.Add("EventMesh:Store:ConnectionString names no Host.");
                if (!string.IsNullOrEmpty(builder.Password) && !string.IsNullOrWhiteSpace(options.PasswordFile))
                    errors.Add("EventMesh:Store:PasswordFile is set, and EventMesh:Store:ConnectionString has a password too: take one of them away.");
                if (builder.TargetSessionAttributes is { } target && !string.Equals(target, "primary", StringComparison.OrdinalIgnoreCase)
                    && !string.Equals(target, "read-write", StringComparison.OrdinalIgnoreCase))
                    errors.Add($"EventMesh:Store:ConnectionString asks for a session that is {target}; the log needs the primary. Queries go to a standby by EventMesh:Store:ReadFromReplica.");
                if (options.ReadFromReplica && !StoreServers.IsSeveral(builder.Host))
                    errors.Add("EventMesh:Store:ReadFromReplica needs several hosts in EventMesh:Store:ConnectionString: Host=a,b.");
                if (builder.MaxPoolSize < ConnectionBudget.Least)
                    errors.Add($"EventMesh:Store:ConnectionString allows {builder.MaxPoolSize} connections (Maximum Pool Size); a node needs at least {ConnectionBudget.Least}.");
            }
            catch (ArgumentException exception)
            {
                errors.Add($"EventMesh:Store:ConnectionString is not an Npgsql connection string: {exception.Message}");
            }
        }
        else if (!string.IsNullOrWhiteSpace(options.PasswordFile))
        {
            errors.Add("EventMesh:Store:PasswordFile is for a server that EventMesh:Store:ConnectionString names; a private server has no password.");
        }
        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }

    [GeneratedRegex("^[a-z][a-z0-9_]{0,30}$", RegexOptions.CultureInvariant)]
    private static partial Regex SchemaName();
}
