using System.Text.Json.Serialization;

namespace EventMesh.Host.Errors;

/// <summary>An RFC 9457 problem, as the control interface answers it and as <c>--output json</c> prints it on stderr.</summary>
/// <param name="Type">The problem type, <c>urn:eventmesh:error:...</c>; docs/errors.md lists them.</param>
/// <param name="Title">The same for each occurrence of the type.</param>
/// <param name="Status">The HTTP status.</param>
/// <param name="Detail">The cause and the remedy, for people.</param>
/// <param name="Error">The error, for programs.</param>
internal sealed record MeshProblem(string Type, string Title, int Status, string Detail, MeshError Error)
{
    /// <summary>The media type of a problem (RFC 9457 6.1).</summary>
    public const string ContentType = "application/problem+json";

    /// <summary>The exit code of the command; null in answers of the control interface.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? ExitCode { get; init; }

    /// <summary>The code that the peer sent, if one did.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ulong? RemoteCode { get; init; }

    /// <summary>The stack trace; only with <c>--verbose</c>.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Trace { get; init; }

    /// <summary>The problem of an exception.</summary>
    public static MeshProblem From(MeshException exception)
    {
        ErrorEntry entry = ErrorCatalog.Get(exception.Error);
        return new(entry.Type, entry.Title, entry.Status, exception.Message, exception.Error) { RemoteCode = exception.RemoteCode };
    }

    /// <summary>The exception of a problem that a node answered.</summary>
    public MeshException ToException() => new(Error, Detail) { RemoteCode = RemoteCode };
}
