using System.Net.Sockets;
using Microsoft.Extensions.Options;

namespace EventMesh.Host.Errors;

/// <summary>Says what any exception that reaches the host means.</summary>
internal static class MeshExceptions
{
    /// <summary>The exception as a <see cref="MeshException"/> with a message for people.</summary>
    public static MeshException ToMeshException(this Exception exception) => exception switch
    {
        MeshException e => e,
        AggregateException { InnerExceptions.Count: 1 } e => e.InnerExceptions[0].ToMeshException(),
        OptionsValidationException e => new(
            MeshError.InvalidConfiguration, string.Join(Environment.NewLine, e.Failures), e),
        HttpRequestException { InnerException: MeshException inner } => inner,
        HttpRequestException or HttpIOException => new(
            MeshError.NodeStopped, "The node closed the control connection: it has stopped. Its log says why.", exception),
        ArgumentException e => new(MeshError.InvalidConfiguration, e.Message, e),
        UnauthorizedAccessException e => new(MeshError.DataDirectoryUnusable, e.Message, e),
        SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse } e => new(MeshError.AddressInUse, e.Message, e),
        _ => new(MeshError.Unknown, $"Unexpected failure: {exception.Message} Run again with --verbose to see where.", exception),
    };
}
