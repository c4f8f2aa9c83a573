using EventMesh.Host.Hosting;
using EventMesh.Marten;
using EventMesh.Marten.Embedded;
using EventMesh.Marten.Store;
using EventMesh.Node;
using Microsoft.Extensions.Options;

namespace EventMesh.Host.Doctor;

/// <summary>Examines the store: a server that is configured is asked, a private one has to have its programs.</summary>
internal sealed class StoreProbe(IOptions<MeshStoreOptions> store, IOptions<MeshOptions> mesh) : IDoctorProbe
{
    private static readonly TimeSpan ConnectLimit = TimeSpan.FromSeconds(5);

    public async Task<IReadOnlyList<DoctorCheck>> ExamineAsync(CancellationToken cancellationToken)
    {
        string? connectionString = store.Value.ConnectionString;
        DoctorCheck check = string.IsNullOrWhiteSpace(connectionString)
            ? await ExaminePrivateAsync(cancellationToken)
            : await ExamineServerAsync(cancellationToken);
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

    private async Task<DoctorCheck> ExamineServerAsync(CancellationToken cancellationToken)
    {
        try
        {
            string server = await StoreAdministration.AskServerAsync(store.Value, ConnectLimit, cancellationToken);
            return DoctorCheck.Ok(MeshDoctor.StoreCheck, $"{server}: Store:ConnectionString names it");
        }
        catch (MeshException e)
        {
            return DoctorCheck.Failed(MeshDoctor.StoreCheck, e);
        }
    }
}
