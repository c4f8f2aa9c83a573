using EventMesh.Journal;
using EventMesh.Projections;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;

namespace EventMesh.Host.Endpoints;

/// <summary><c>/v1/successions</c>: disputed changes of keys, and the operator's decision.</summary>
internal static class SuccessionEndpoints
{
    /// <summary>Maps the endpoints.</summary>
    public static void MapSuccessions(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("successions/disputes", (IEventJournal journal) => journal.State.Keys.Disputes.Select(d => new DisputeView(d.Key, [.. d.Value])));

        routes.MapPost("successions", async (ResolveRequest request, IEventJournal journal, CancellationToken cancellationToken) =>
        {
            KeySuccessionState keys = journal.State.Keys;
            PeerId predecessor = Select(request.Predecessor, [.. keys.Disputes.Keys, .. keys.Successors.Keys], "No key with a successor begins with");
            PeerId? successor = null;
            if (request.Successor is { } text)
            {
                IEnumerable<PeerId> known = keys.Successors.TryGetValue(predecessor, out PeerId now) ? [now] : [];
                successor = Select(text, [.. keys.ClaimantsOf(predecessor), .. known, .. keys.Rejected], "No claimant begins with");
            }
            RecordedEvent recorded = journal.Record(new SuccessionDecided(predecessor, successor, "operator"));
            await journal.WhenDurableAsync(recorded, cancellationToken);
            return new DecisionView(predecessor, successor);
        });
    }

    private static PeerId Select(string? text, IEnumerable<PeerId> among, string nothing)
    {
        if (text is null || text.Length < PeerSelector.MinLength)
            throw new MeshException(MeshError.InvalidConfiguration, $"A key is named by its identity or at least its first {PeerSelector.MinLength} characters.");
        List<PeerId> found = [.. among.Distinct().Where(peer => peer.ToString().StartsWith(text, StringComparison.OrdinalIgnoreCase))];
        return found.Count switch
        {
            1 => found[0],
            0 => throw new MeshException(MeshError.InvalidConfiguration, $"{nothing} '{text}'. `mesh identity resolve` lists the disputes."),
            _ => throw new MeshException(MeshError.InvalidConfiguration, $"{found.Count} identities begin with '{text}'. Give more of it."),
        };
    }
}
