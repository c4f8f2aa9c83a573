namespace EventMesh.Trust.Internal;

/// <summary>A certificate that is not accepted.</summary>
/// <param name="Problem">Why, for programs.</param>
/// <param name="Reason">Why, for the operator; the peer learns only a code.</param>
internal sealed record CertificateRefusal(CertificateProblem Problem, string Reason)
{
    /// <summary>The same as an exception for the side that dialled.</summary>
    public MeshException ToException(string what) => new(MeshError.CertificateRefused, $"{what} is refused: {Reason}");
}
