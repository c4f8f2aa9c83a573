using EventMesh.Host.Endpoints;
using EventMesh.Marten;
using EventMesh.Marten.Queries;
using Microsoft.Extensions.Options;

namespace EventMesh.Host.Hosting;

/// <summary>The projections of the store of this process.</summary>
internal sealed class StoreProjections(IMeshQueries queries, INodeStatus node, IOptions<MeshStoreOptions> options) : IProjectionControl
{
    // A health check has to answer in time, also while the database does not.
    private static readonly TimeSpan LookLimit = TimeSpan.FromSeconds(2);

    public Task<IReadOnlyList<ProjectionStatus>> ListAsync(CancellationToken cancellationToken) => queries.GetProjectionsAsync(node.NodeId, cancellationToken);

    public async Task RebuildAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            await queries.RebuildAsync(name, cancellationToken);
        }
        catch (ArgumentException e)
        {
            throw new MeshException(MeshError.InvalidConfiguration, $"There is no projection '{name}'. `mesh projections` lists them.", e);
        }
    }

    public async Task<string?> FindTroubleAsync(CancellationToken cancellationToken)
    {
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(LookLimit);
        try
        {
            return ProjectionTrouble.Find(await ListAsync(limit.Token), options.Value.ProjectionLagLimit);
        }
        catch (MeshException e)
        {
            return $"the projections can't be asked: {e.Message}";
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return "the projections can't be asked: the database does not answer in time";
        }
    }
}
