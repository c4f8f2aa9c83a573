using System.Diagnostics;
using EventMesh.Identity;
using EventMesh.Marten.Embedded;
using EventMesh.Marten.Embedded.Internal;
using EventMesh.Marten.Store;
using Microsoft.Extensions.Logging.Abstractions;

namespace EventMesh.Marten.Tests.Embedded;

/// <summary>A process that upgrades a private server's cluster and is killed at a step: this test program, started again with another entry.</summary>
internal static class ChildUpgrade
{
    private const string Marker = "--upgrade-private-postgres";

    public static bool IsChild(string[] arguments) => arguments is [Marker, ..];

    /// <summary>Upgrades as far as a step, and is killed there.</summary>
    public static async Task RunAsync(
        NodeId node, string dataDirectory, PostgresBinaries old, PostgresBinaries target, UpgradeStep step, CancellationToken cancellationToken)
    {
        var info = new ProcessStartInfo(
            Environment.ProcessPath!, [Marker, node.ToString(), dataDirectory, old.Folder, $"{old.Major}", target.Folder, $"{target.Major}", step.ToString()])
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        using Process process = Process.Start(info)!;
        try
        {
            if (await process.StandardOutput.ReadLineAsync(cancellationToken) != step.ToString())
                throw new InvalidOperationException($"The upgrade ended before the step {step}.");
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync(CancellationToken.None);
        }
    }

    public static async Task<int> RunAsync(string[] arguments)
    {
        PrivatePostgresLocation location = PrivatePostgres.Locate(NodeId.Parse(arguments[1]), arguments[2]);
        await using FileStream fileLock = PrivatePostgres.TakeLock(location);
        var upgrade = new ClusterUpgrade(location, TimeProvider.System, NullLoggerFactory.Instance)
        {
            Reached = async step =>
            {
                if (step.ToString() != arguments[7])
                    return;
                await Console.Out.WriteLineAsync(arguments[7]);
                await Task.Delay(Timeout.Infinite);
            },
        };
        await StoreAdministration.BringAsync(
            new MeshStoreOptions(), location, new PostgresBinaries(arguments[3], Major(arguments[4])), new PostgresBinaries(arguments[5], Major(arguments[6])), upgrade, default);
        return 0;
    }

    private static int Major(string text) => int.Parse(text, System.Globalization.CultureInfo.InvariantCulture);
}
