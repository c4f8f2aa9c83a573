using System.Net.Sockets;
using System.Security.Authentication;
using JasperFx;
using Npgsql;

namespace EventMesh.Marten.Store.Internal;

/// <summary>Turns what PostgreSQL, Npgsql and Marten throw into <see cref="MeshException"/>: the one place that knows their errors.</summary>
internal static class StoreErrors
{
    public static MeshException Translate(Exception exception, string operation)
    {
        MeshError error = Classify(exception);
        string reason = Root(exception).Message;
        string text = error switch
        {
            MeshError.StoreUnavailable => $"PostgreSQL can't {operation} now: {reason}",
            MeshError.StoreIncompatible => $"The tables of the log are not as this program expects, it could not {operation}: {reason}",
            MeshError.EpochLost => reason,
            MeshError.ConcurrencyConflict => $"Somebody else was first, PostgreSQL refused to {operation}: {reason}",
            _ => $"PostgreSQL refused to {operation}: {reason}",
        };
        return new MeshException(error, text, exception);
    }

    /// <summary>The server that the configuration names can't be used: says which one and what to do, without the password.</summary>
    public static MeshException ServerUnavailable(string connectionString, Exception exception)
    {
        string server = "the server";
        try
        {
            var builder = new NpgsqlConnectionStringBuilder(connectionString);
            server = $"{builder.Host}:{builder.Port}, database '{builder.Database ?? builder.Username}', user '{builder.Username}'";
        }
        catch (ArgumentException)
        {
            // The validator has its own words for that.
        }
        string remedy = Root(exception) switch
        {
            AuthenticationException =>
                "The server's certificate must lead to the authority in 'Root Certificate' of EventMesh:Store:ConnectionString and, with SslMode=VerifyFull, name the host.",
            PostgresException { SqlState: PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification } =>
                "Correct the user in EventMesh:Store:ConnectionString, or its password: there, in EventMesh:Store:PasswordFile, PGPASSWORD or a passfile.",
            _ => "Start it or correct EventMesh:Store:ConnectionString; without one the node starts a private server.",
        };
        return new MeshException(MeshError.StoreUnavailable, $"PostgreSQL at {server} can't be used: {Root(exception).Message.TrimEnd('.')}. {remedy}", exception);
    }

    public static MeshError Classify(Exception exception)
    {
        for (Exception? e = exception; e is not null; e = e.InnerException)
        {
            switch (e)
            {
                case MeshException mesh:
                    return mesh.Error;
                case PostgresException postgres:
                    return Classify(postgres.SqlState);
                case ConcurrencyException:
                    return MeshError.ConcurrencyConflict;
                // A broken connection shows as any of these, according to what was under way: the rollback of a transaction whose
                // connection broke throws ObjectDisposedException, a command on it InvalidOperationException.
                case NpgsqlException or SocketException or IOException or TimeoutException or ObjectDisposedException or InvalidOperationException:
                    return MeshError.StoreUnavailable;
            }
        }
        return MeshError.Unknown;
    }

    /// <summary>What PostgreSQL says when the role lacks a right; null for another failure.</summary>
    public static string? Lacks(Exception exception) =>
        Root(exception) is PostgresException { SqlState: PostgresErrorCodes.InsufficientPrivilege } refusal
            ? refusal.MessageText
            : null;

    private static MeshError Classify(string state) => state switch
    {
        ImportSchema.RefusedState => MeshError.EpochLost,
        PostgresErrorCodes.UniqueViolation => MeshError.ConcurrencyConflict,
        PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.UndefinedColumn or PostgresErrorCodes.UndefinedFunction
            or PostgresErrorCodes.InvalidSchemaName or PostgresErrorCodes.UndefinedObject => MeshError.StoreIncompatible,
        // A standby that is about to become, or no longer is, the primary.
        PostgresErrorCodes.ReadOnlySqlTransaction => MeshError.StoreUnavailable,
        // 08 connection, 28 authentication, 3D database, 40 rollback, 42501 privilege, 53 resources, 55 object state, 57 operator, 58 system.
        PostgresErrorCodes.InsufficientPrivilege => MeshError.StoreUnavailable,
        _ => state[..2] is "08" or "28" or "3D" or "40" or "53" or "55" or "57" or "58" ? MeshError.StoreUnavailable : MeshError.Unknown,
    };

    private static Exception Root(Exception exception)
    {
        for (Exception? e = exception; e is not null; e = e.InnerException)
        {
            if (e is MeshException or PostgresException or SocketException or AuthenticationException)
                return e;
        }
        return exception;
    }
}
