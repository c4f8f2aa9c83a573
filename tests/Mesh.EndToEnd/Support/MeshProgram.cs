using System.Diagnostics;
using System.Text.Json;

namespace EventMesh.EndToEnd.Support;

/// <summary>The built program, as a user starts it.</summary>
internal static class MeshProgram
{
    /// <summary>How long a command may take; generous, since the machine of a test run is busy.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);

    /// <summary>The executable: built beside these tests, in the same configuration.</summary>
    public static string Path { get; } = FindPath();

    /// <summary>The folder of the sample plugins.</summary>
    public static string Plugins { get; } = System.IO.Path.GetFullPath(System.IO.Path.Combine(AppContext.BaseDirectory, "../../../plugins"));

    // Asked once; after the path, which the question needs.
    private static readonly Task<string?> Missing = FindMissingAsync();

    /// <summary>Skips the test where a node can't start at all; fails it in CI, where a skipped suite would be a silent hole.</summary>
    public static async Task RequireAsync()
    {
        if (await Missing is not { } missing) return;
        if (Environment.GetEnvironmentVariable("CI") == "true") Assert.Fail(missing);
        Assert.Skip(missing);
    }

    /// <summary>Starts the program.</summary>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="environment">More in its environment.</param>
    /// <param name="networkNamespace">The network namespace that it runs in; null for ours.</param>
    public static Process Start(
        IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null, string? networkNamespace = null)
    {
        ProcessStartInfo start = new(networkNamespace is null ? Path : "ip")
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = System.IO.Path.GetTempPath(),
        };
        // ip becomes the program: signals and standard input reach it as if it had been started itself.
        if (networkNamespace is not null) arguments = ["netns", "exec", networkNamespace, Path, .. arguments];
        foreach (string argument in arguments) start.ArgumentList.Add(argument);
        foreach ((string key, string value) in environment ?? new Dictionary<string, string>()) start.Environment[key] = value;
        return Process.Start(start)!;
    }

    /// <summary>Runs a command to its end.</summary>
    public static Task<Outcome> RunAsync(params string[] arguments) => RunAsync(arguments, environment: null);

    /// <summary>Runs a command to its end, with more in its environment.</summary>
    public static async Task<Outcome> RunAsync(string[] arguments, IReadOnlyDictionary<string, string>? environment)
    {
        using Process process = Start(arguments, environment);
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        using CancellationTokenSource limit = new(Limit);
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException e)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"mesh {string.Join(' ', arguments)} did not end. stderr: {await error}", e);
        }
        return new Outcome(process.ExitCode, await output, await error);
    }

    private static string FindPath()
    {
        string configuration = System.IO.Path.GetFileName(AppContext.BaseDirectory.TrimEnd('/'));
        return System.IO.Path.GetFullPath(System.IO.Path.Combine(AppContext.BaseDirectory, $"../../Mesh.Host/{configuration}/mesh"));
    }

    private static async Task<string?> FindMissingAsync()
    {
        string data = System.IO.Path.Combine(System.IO.Path.GetTempPath(), "mesh-e2e-doctor");
        Outcome doctor = await RunAsync("doctor", "--data", data, "--listen", "127.0.0.1:0");
        return doctor.Code == 0 ? null : $"A node can't start here: {doctor.Output}";
    }

    /// <summary>How a command ended.</summary>
    internal sealed record Outcome(int Code, string Output, string Error)
    {
        /// <summary>The one JSON object that it printed.</summary>
        public JsonElement Json => JsonSerializer.Deserialize<JsonElement>(Output);

        /// <summary>The JSON objects that it printed, one a line.</summary>
        public IReadOnlyList<JsonElement> Lines =>
            [.. Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonSerializer.Deserialize<JsonElement>(line))];
    }
}
