using System.Diagnostics;
using System.Globalization;
using EventMesh.Identity;
using EventMesh.Marten.Embedded;
using Microsoft.Extensions.Logging.Abstractions;

namespace EventMesh.Marten.Tests.Embedded;

/// <summary>A process that runs a private server and can be killed: this test program, started again with another entry.</summary>
internal sealed class ChildNode : IDisposable
{
    private const string Marker = "--run-private-postgres";
    private readonly Process _process;

    private ChildNode(Process process, int serverId)
    {
        _process = process;
        ServerId = serverId;
    }

    public int ServerId { get; }

    public static async Task<ChildNode> StartAsync(NodeId node, string dataDirectory, CancellationToken cancellationToken, string user = "")
    {
        var info = new ProcessStartInfo(Environment.ProcessPath!, [Marker, node.ToString(), dataDirectory])
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
            UserName = user,
            WorkingDirectory = "/",
        };
        Process process = Process.Start(info)!;
        string? line = await process.StandardOutput.ReadLineAsync(cancellationToken);
        return new ChildNode(process, int.Parse(line!, CultureInfo.InvariantCulture));
    }

    /// <summary>SIGKILL.</summary>
    public async Task KillAsync(CancellationToken cancellationToken)
    {
        _process.Kill();
        await _process.WaitForExitAsync(cancellationToken);
    }

    public static bool IsChild(string[] arguments) => arguments is [Marker, _, _];

    public static async Task<int> RunAsync(string[] arguments)
    {
        await using PrivatePostgres postgres = await PrivatePostgres.StartAsync(
            NodeId.Parse(arguments[1]), arguments[2], null, TimeProvider.System, NullLoggerFactory.Instance);
        await Console.Out.WriteLineAsync(postgres.ProcessId.ToString(CultureInfo.InvariantCulture));
        await Task.Delay(Timeout.Infinite);
        return 0;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill();
        _process.Dispose();
    }
}
