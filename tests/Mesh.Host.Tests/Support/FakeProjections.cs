using EventMesh.Host.Endpoints;
using EventMesh.Marten.Queries;

namespace EventMesh.Host.Tests.Support;

/// <summary>Projections that a test plays.</summary>
internal sealed class FakeProjections : IProjectionControl
{
    public List<ProjectionStatus> All { get; } = [new("bootstrap_cache", 7, 7, 0), new("trust_ledger", 7, 7, 0)];

    public List<string> Rebuilt { get; } = [];

    /// <summary>Instead of a rebuild.</summary>
    public Func<string, CancellationToken, Task>? OnRebuild { get; set; }

    public Task<IReadOnlyList<ProjectionStatus>> ListAsync(CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<ProjectionStatus>>([.. All]);

    public Task RebuildAsync(string name, CancellationToken cancellationToken)
    {
        if (All.TrueForAll(projection => projection.Name != name))
            throw new MeshException(MeshError.InvalidConfiguration, $"There is no projection '{name}'.");
        Rebuilt.Add(name);
        return OnRebuild?.Invoke(name, cancellationToken) ?? Task.CompletedTask;
    }

    public Task<string?> FindTroubleAsync(CancellationToken cancellationToken) =>
        Task.FromResult(ProjectionTrouble.Find(All, TimeSpan.FromSeconds(30)));
}
