using EventMesh.Marten.Queries;

namespace EventMesh.Host.Endpoints;

/// <summary>The stored projections, as operators see them.</summary>
internal interface IProjectionControl
{
    /// <summary>How far each has followed the node's log.</summary>
    Task<IReadOnlyList<ProjectionStatus>> ListAsync(CancellationToken cancellationToken);

    /// <summary>Folds one anew, for all nodes of the schema; done when readers see it.</summary>
    /// <exception cref="MeshException"><see cref="MeshError.InvalidConfiguration"/>: there is none of this name.</exception>
    Task RebuildAsync(string name, CancellationToken cancellationToken);

    /// <summary>What is not as it should be: a projection that is paused, or too far behind. Null when all is well.</summary>
    Task<string?> FindTroubleAsync(CancellationToken cancellationToken);
}
