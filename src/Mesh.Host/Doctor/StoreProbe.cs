using EventMesh.Host.Hosting;
using EventMesh.Marten;
using EventMesh.Marten.Embedded;
using EventMesh.Node;
using Microsoft.Extensions.Options;
using Npgsql;

namespace EventMesh.Host.Doctor;

/// <summary>Examines the store: a server that is configured is asked, a private one has to have its programs.</summary>
internal sealed class StoreProbe(IOptions<MeshStoreOptions> store, IOptions<MeshOptions> mesh) : IDoctorProbe
{
    private const int ConnectSeconds = 5;

    public async Task<IReadOnlyList<DoctorCheck>> ExamineAsync(CancellationToken cancellationToken)
    {
        string? connectionString = store.Value.ConnectionString;
        DoctorCheck check = string.IsNullOrWhiteSpace(connectionString)
            ? await ExaminePrivateAsync(cancellationToken)
            : await ExamineServerAsync(connectionString, cancellationToken);
        return [check.Status == DoctorStatus.Failed ? check : check with { Choice = "postgresql" }];
    }

    private async Task<DoctorCheck> ExaminePrivateAsync(CancellationToken cancellationToken)
    {
        string data = Path.GetFullPath(mesh.Value.DataDirectory);
        try
        {
            NodeId? node = NodeIdFile.Read(data);
            string server = await PrivatePostgres.FindServerAsync(node, data, store.Value.PostgresBin, cancellationToken);
            return DoctorCheck.Ok(MeshDoctor.StoreCheck, $"a private server of the node's own, {server}: Store:ConnectionString names no other");
        }
        catch (MeshException e)
        {
            return DoctorCheck.Failed(MeshDoctor.StoreCheck, e);
        }
    }

    private static async Task<DoctorCheck> ExamineServerAsync(string connectionString, CancellationToken cancellationToken)
    {
        string where = "the configured server";
        try
        {
            NpgsqlConnectionStringBuilder builder = new(connectionString) { Timeout = ConnectSeconds, Pooling = false };
            where = $"{builder.Host}:{builder.Port}, database {builder.Database ?? builder.Username}";
            await using NpgsqlConnection connection = new(builder.ConnectionString);
            await connection.OpenAsync(cancellationToken);
            return DoctorCheck.Ok(MeshDoctor.StoreCheck, $"PostgreSQL {connection.PostgreSqlVersion} at {where}: Store:ConnectionString names it");
        }
        catch (Exception e) when (e is NpgsqlException or ArgumentException or TimeoutException)
        {
            return DoctorCheck.Failed(
                MeshDoctor.StoreCheck, new MeshException(MeshError.StoreUnavailable, $"PostgreSQL at {where} can't be reached: {e.Message}", e),
                "Start it, or correct Store:ConnectionString; without one the node starts a private server.");
        }
    }
}
