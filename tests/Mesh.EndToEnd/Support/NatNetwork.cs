using System.Diagnostics;

namespace EventMesh.EndToEnd.Support;

/// <summary>
/// A network of this machine's kernel alone, in namespaces of its own: hosts in public, and one host behind a router that masquerades.
/// It is gone with the test; what a killed test run has left, the next one removes.
/// </summary>
internal sealed class NatNetwork : IAsyncDisposable
{
    private const string Prefix = "mesh-nat-";

    private readonly string _name = $"{Prefix}{Environment.ProcessId}-{Guid.NewGuid().ToString("N")[..6]}-";
    private readonly List<string> _namespaces = [];

    private NatNetwork()
    {
    }

    /// <summary>A public host, 192.0.2.1.</summary>
    public string Front => _name + "front";

    /// <summary>Another public host, 192.0.2.2.</summary>
    public string Open => _name + "open";

    /// <summary>The host behind the router, 10.1.0.2; seen as 192.0.2.254.</summary>
    public string Behind => _name + "behind";

    private string Switch => _name + "switch";

    private string Router => _name + "router";

    /// <summary>Skips the test where namespaces can't be made.</summary>
    public static async Task RequireAsync()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("Network namespaces are Linux's.");
        if (Environment.UserName != "root") Assert.Skip("Network namespaces need root.");
        foreach (string tool in new[] { "ip", "nft" })
        {
            if (!"/usr/sbin:/sbin:/usr/bin:/bin".Split(':').Any(folder => File.Exists(Path.Combine(folder, tool))))
                Missing($"The program '{tool}' is missing: run eng/setup.sh test.");
        }
        string probe = $"{Prefix}{Environment.ProcessId}-probe";
        if (await TryAsync("ip", "netns", "add", probe) is { } error) Assert.Skip($"Network namespaces don't work here: {error}");
        await TryAsync("ip", "netns", "del", probe);
    }

    public static async Task<NatNetwork> CreateAsync()
    {
        await RemoveLeftoversAsync();
        var network = new NatNetwork();
        try
        {
            await network.BuildAsync();
            return network;
        }
        catch
        {
            await network.DisposeAsync();
            throw;
        }
    }

    /// <summary>Gives the router another public address: what masquerades through it comes from there at once.</summary>
    public async Task MoveRouterAsync(string from, string to)
    {
        await IpAsync(Router, "addr", "add", $"{to}/24", "dev", "out");
        // With its address the kernel forgets the translations to it.
        await IpAsync(Router, "addr", "del", $"{from}/24", "dev", "out");
    }

    /// <summary>Gives the open host another address.</summary>
    public async Task MoveOpenAsync(string from, string to)
    {
        await IpAsync(Open, "addr", "add", $"{to}/24", "dev", "out");
        await IpAsync(Open, "addr", "del", $"{from}/24", "dev", "out");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (string name in _namespaces) await TryAsync("ip", "netns", "del", name);
    }

    private async Task BuildAsync()
    {
        foreach (string name in new[] { Switch, Router, Front, Open, Behind })
        {
            await RunAsync("ip", "netns", "add", name);
            _namespaces.Add(name);
            await IpAsync(name, "link", "set", "lo", "up");
        }
        await IpAsync(Switch, "link", "add", "bridge", "type", "bridge");
        await IpAsync(Switch, "link", "set", "bridge", "up");
        foreach ((string host, string port, string address) in new[] { (Front, "front", "192.0.2.1"), (Open, "open", "192.0.2.2"), (Router, "router", "192.0.2.254") })
        {
            await LinkAsync(Switch, port, host, "out");
            await IpAsync(Switch, "link", "set", port, "master", "bridge");
            await IpAsync(host, "addr", "add", $"{address}/24", "dev", "out");
            // The secondary address of a move lives on when the primary one goes.
            await RunAsync("ip", "netns", "exec", host, "sysctl", "-q", "-w", "net.ipv4.conf.out.promote_secondaries=1");
        }
        await LinkAsync(Router, "in", Behind, "out");
        await IpAsync(Router, "addr", "add", "10.1.0.1/24", "dev", "in");
        await IpAsync(Behind, "addr", "add", "10.1.0.2/24", "dev", "out");
        await IpAsync(Behind, "route", "add", "default", "via", "10.1.0.1");
        await RunAsync("ip", "netns", "exec", Router, "sysctl", "-q", "-w", "net.ipv4.ip_forward=1");
        await RunAsync(
            "ip", "netns", "exec", Router, "nft",
            "add table ip nat; add chain ip nat post { type nat hook postrouting priority 100; }; add rule ip nat post oifname \"out\" masquerade");
    }

    private static async Task LinkAsync(string one, string portOfOne, string other, string portOfOther)
    {
        await IpAsync(one, "link", "add", portOfOne, "type", "veth", "peer", "name", portOfOther, "netns", other);
        await IpAsync(one, "link", "set", portOfOne, "up");
        await IpAsync(other, "link", "set", portOfOther, "up");
    }

    private static Task IpAsync(string name, params string[] arguments) => RunAsync("ip", ["-n", name, .. arguments]);

    private static async Task RunAsync(string program, params string[] arguments)
    {
        if (await TryAsync(program, arguments) is { } error)
            throw new InvalidOperationException($"{program} {string.Join(' ', arguments)}: {error}");
    }

    /// <summary>Runs a program; null, or what it complained of.</summary>
    private static async Task<string?> TryAsync(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardError = true, RedirectStandardOutput = true })!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        string error = await process.StandardError.ReadToEndAsync();
        await output;
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? null : $"{error.Trim()} (exit code {process.ExitCode})";
    }

    private static async Task RemoveLeftoversAsync()
    {
        const string folder = "/run/netns";
        if (!Directory.Exists(folder)) return;
        foreach (string name in Directory.GetFiles(folder, $"{Prefix}*").Select(path => Path.GetFileName(path)))
        {
            bool isOld = int.TryParse(name[Prefix.Length..].Split('-')[0], out int owner) && !Directory.Exists($"/proc/{owner}");
            if (isOld) await TryAsync("ip", "netns", "del", name);
        }
    }

    private static void Missing(string reason)
    {
        if (Environment.GetEnvironmentVariable("CI") == "true") Assert.Fail(reason);
        Assert.Skip(reason);
    }
}
