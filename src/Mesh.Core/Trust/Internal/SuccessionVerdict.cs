using EventMesh.Events;
using EventMesh.Wire;

namespace EventMesh.Trust.Internal;

/// <summary>The verdict on a peer's key and the changes that it tells of.</summary>
/// <param name="Code">The refusal, or null.</param>
/// <param name="Reason">Why, for the operator.</param>
/// <param name="Changes">What is to be recorded: of an accepted peer once its connection stands, of a refused one at once.</param>
internal sealed record SuccessionVerdict(WireCode? Code, string? Reason, IReadOnlyList<IMeshEvent> Changes)
{
    public static SuccessionVerdict Accept(IReadOnlyList<IMeshEvent> changes) => new(null, null, changes);

    public static SuccessionVerdict Refuse(WireCode code, string reason, params IReadOnlyList<IMeshEvent> changes) => new(code, reason, changes);
}
