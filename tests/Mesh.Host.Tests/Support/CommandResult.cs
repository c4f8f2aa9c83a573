using EventMesh.Host.Commands;
using EventMesh.Host.Errors;

namespace EventMesh.Host.Tests.Support;

/// <summary>What a command printed and how it ended.</summary>
internal sealed record CommandResult(ExitCode Code, string Output, string Error)
{
    public static async Task<CommandResult> RunAsync(params string[] args)
    {
        using StringWriter output = new();
        using StringWriter error = new();
        int code = await MeshCommandLine.InvokeAsync(args, output, error);
        return new CommandResult((ExitCode)code, output.ToString(), error.ToString());
    }
}
