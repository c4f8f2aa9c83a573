using System.CommandLine;
using EventMesh.Host.Control;
using EventMesh.Host.Endpoints;
using EventMesh.Host.Errors;
using EventMesh.Host.Events;

namespace EventMesh.Host.Commands;

/// <summary><c>mesh trust</c>.</summary>
internal static class TrustCommand
{
    // The library refuses a command inside one of its own name: `mesh trust trust` is renamed before it is parsed.
    private const string Name = "trust";
    private const string Grant = "grant";

    private static readonly Argument<string> Contact = new("contact") { Description = "host:port, with a name or an address." };

    private static readonly Argument<string> Peer = new("peer") { Description = "The peer's identity, or its beginning where only one known peer has it." };

    private static readonly Argument<string> Target = new("target")
    {
        Description = "A peer (its identity or the beginning of it), an address, or a range of addresses such as 192.0.2.0/24.",
    };

    private static readonly Argument<string> Revoked = new("target")
    {
        Description = "A peer, whose key is refused for good, or the SHA-256 fingerprint of a single certificate.",
    };

    private static readonly Option<string?> Reason = new("--reason", "-r") { Description = "Why, for people. The peer never learns it.", HelpName = "text" };

    private static readonly Option<TimeSpan?> For = CreateFor();

    private static readonly Option<DateTimeOffset?> Until = CreateUntil();

    private static readonly Option<bool> Follow = new("--follow", "-f") { Description = "Go on with each new decision, until Ctrl-C." };

    /// <summary>Gives <c>mesh trust trust</c> the name under which the library knows it.</summary>
    public static IReadOnlyList<string> Rename(IReadOnlyList<string> args)
    {
        int outer = SkipCommonOptions(args, 0);
        int inner = SkipCommonOptions(args, outer + 1);
        return inner < args.Count && args[outer] == Name && args[inner] == Name ? [.. args.Take(inner), Grant, .. args.Skip(inner + 1)] : args;
    }

    public static Command Create() => new(Name, "The running node's trust ledger: pins, trusted and blocked peers, revocations.")
    {
        TrustListCommand.Create(),
        CreatePin(),
        CreateUnpin(),
        CreateTrust(),
        CreateBlock(),
        CreateUnblock(),
        CreateRevoke(),
        CreateLog(),
    };

    private static Command CreatePin() => new Command("pin", "Bind a contact to a peer: another one that answers there is refused.") { Contact, Peer }.ForRunningNode()
        .Runs(async (context, token) =>
        {
            using ControlClient client = context.CreateClient();
            var request = new PinRequest(context.Get(Contact)!, context.Get(Peer)!, Environment.UserName);
            return Print(context, await client.PinAsync(request, token), "Pinned", "is pinned so already");
        });

    private static Command CreateUnpin() => new Command("unpin", "Take the pin of a contact back: any peer may answer there.") { Contact, Reason }.ForRunningNode()
        .Runs(async (context, token) =>
        {
            using ControlClient client = context.CreateClient();
            var request = new UnpinRequest(context.Get(Contact)!, context.Get(Reason), Environment.UserName);
            return Print(context, await client.UnpinAsync(request, token), "Unpinned", "is not pinned; `mesh trust list` shows all pins");
        });

    private static Command CreateTrust() => new Command(Grant, "Trust a peer: limits never block it, and it is not given up for others. Also: mesh trust trust.") { Peer, Reason }.ForRunningNode()
        .Runs(async (context, token) =>
        {
            using ControlClient client = context.CreateClient();
            var request = new TrustRequest(context.Get(Peer)!, context.Get(Reason), null, Environment.UserName);
            return Print(context, await client.ChangeTrustAsync("trust", request, token), "Trusted", "is trusted already");
        });

    private static Command CreateBlock() => new Command("block", "Close the connections of a peer or a range of addresses and refuse new ones.") { Target, Reason, For, Until }
        .ForRunningNode().Runs(async (context, token) =>
        {
            if (context.Get(For) is not null && context.Get(Until) is not null)
                throw new MeshException(MeshError.InvalidConfiguration, "--for and --until both say when the block ends: give one of them.");
            using ControlClient client = context.CreateClient();
            DateTimeOffset? end = context.Get(For) is { } length ? TimeProvider.System.GetUtcNow() + length : context.Get(Until);
            var request = new TrustRequest(context.Get(Target)!, context.Get(Reason), end, Environment.UserName);
            return Print(context, await client.ChangeTrustAsync("block", request, token), "Blocked", "is blocked already");
        });

    private static Command CreateUnblock() => new Command("unblock", "Lift the block of a peer or a range of addresses.") { Target, Reason }.ForRunningNode()
        .Runs(async (context, token) =>
        {
            using ControlClient client = context.CreateClient();
            var request = new TrustRequest(context.Get(Target)!, context.Get(Reason), null, Environment.UserName);
            return Print(context, await client.ChangeTrustAsync("unblock", request, token), "Unblocked", "is not blocked itself; `mesh trust list` shows all blocks");
        });

    private static Command CreateRevoke() => new Command("revoke", "Refuse a key or a single certificate for good.") { Revoked, Reason }.ForRunningNode()
        .Runs(async (context, token) =>
        {
            using ControlClient client = context.CreateClient();
            var request = new TrustRequest(context.Get(Revoked)!, context.Get(Reason), null, Environment.UserName);
            return Print(context, await client.ChangeTrustAsync("revoke", request, token), "Revoked", "is revoked already");
        });

    private static Command CreateLog() => new Command("log", "Print the trust decisions of the running node's log.") { Follow }.ForRunningNode()
        .Runs(async (context, token) =>
        {
            using ControlClient client = context.CreateClient();
            bool follow = context.Get(Follow);
            try
            {
                await foreach (EventView recorded in client.GetEventsAsync(0, follow, token, StreamFamily.Trust))
                {
                    if (context.IsJson) context.WriteJson(recorded);
                    else await context.Out.WriteLineAsync(EventLine.Format(recorded));
                    if (follow) await context.Out.FlushAsync(token);
                }
            }
            catch (OperationCanceledException) when (follow && token.IsCancellationRequested)
            {
                return ExitCode.Success;
            }
            return follow ? throw new MeshException(MeshError.NodeStopped, "The node has stopped.") : ExitCode.Success;
        });

    private static int SkipCommonOptions(IReadOnlyList<string> args, int at)
    {
        while (at < args.Count && args[at].StartsWith('-'))
            at += args[at] is "--output" or "-o" ? 2 : 1;
        return at;
    }

    private static ExitCode Print(CommandContext context, TrustChangeView change, string done, string nothing)
    {
        if (context.IsJson) context.WriteJson(change);
        else context.Out.WriteLine(change.Events.Count > 0 ? $"{done} {change.Target}." : $"{change.Target} {nothing}.");
        return ExitCode.Success;
    }

    private static Option<TimeSpan?> CreateFor()
    {
        Option<TimeSpan?> option = StrictOption.Duration("--for");
        option.Description = "How long a block lasts: 30s, 15m, 2h, 7d. Default: for ever.";
        option.HelpName = "duration";
        return option;
    }

    private static Option<DateTimeOffset?> CreateUntil()
    {
        Option<DateTimeOffset?> option = StrictOption.Time("--until");
        option.Description = "When a block ends, such as 2027-01-31T12:00:00Z. Default: never.";
        option.HelpName = "time";
        return option;
    }
}
