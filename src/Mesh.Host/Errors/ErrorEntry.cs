namespace EventMesh.Host.Errors;

/// <summary>How one <see cref="MeshError"/> shows outside of the program.</summary>
/// <param name="Slug">The last part of the problem type and the anchor in docs/errors.md.</param>
/// <param name="ExitCode">The exit code of a command that ends with it.</param>
/// <param name="Status">The HTTP status of the control interface (RFC 9110 15).</param>
/// <param name="Title">The problem's title: the same for each occurrence.</param>
internal sealed record ErrorEntry(string Slug, ExitCode ExitCode, int Status, string Title)
{
    /// <summary>The problem type (RFC 9457 3.1.1).</summary>
    public string Type => TypePrefix + Slug;

    /// <summary>What all problem types begin with.</summary>
    public const string TypePrefix = "urn:eventmesh:error:";
}
