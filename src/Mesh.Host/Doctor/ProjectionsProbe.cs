using EventMesh.Host.Control;
using EventMesh.Host.Endpoints;
using EventMesh.Marten;
using EventMesh.Marten.Queries;
using EventMesh.Node;
using Microsoft.Extensions.Options;

namespace EventMesh.Host.Doctor;

/// <summary>Asks the node that runs on the data directory, if one does, how its projections are.</summary>
internal sealed class ProjectionsProbe(IOptions<MeshOptions> mesh, IOptions<MeshStoreOptions> store) : IDoctorProbe
{
    private const string Check = "projections";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    public async Task<IReadOnlyList<DoctorCheck>> ExamineAsync(CancellationToken cancellationToken)
    {
        if (!File.Exists(ControlSocket.GetPath(mesh.Value.DataDirectory)))
            return [];
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Limit);
        try
        {
            using ControlClient client = new(mesh.Value.DataDirectory);
            ProjectionView[] projections = await client.GetProjectionsAsync(limit.Token);
            string? trouble = ProjectionTrouble.Find(projections.Select(ToStatus), store.Value.ProjectionLagLimit);
            return
            [
                trouble is null
                    ? DoctorCheck.Ok(Check, $"{projections.Length} follow the log of the running node")
                    : DoctorCheck.Note(Check, trouble, "`mesh projections` tells more; a newer program, or the reason removed, lets it go on."),
            ];
        }
        catch (MeshException e) when (e.Error == MeshError.NodeStopped)
        {
            // A socket that a killed node left.
            return [];
        }
        catch (MeshException e)
        {
            return [DoctorCheck.Note(Check, $"the running node does not tell: {e.Message}")];
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return [DoctorCheck.Note(Check, "the running node does not tell in time how they are")];
        }
    }

    private static ProjectionStatus ToStatus(ProjectionView view) => new(view.Name, view.NodeSeq, view.LogSeq, view.Lag)
    {
        State = view.State,
        LagTime = TimeSpan.FromSeconds(view.LagSeconds),
        PausedReason = view.PausedReason,
    };
}
