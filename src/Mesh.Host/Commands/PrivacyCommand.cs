using System.CommandLine;
using EventMesh.Host.Control;
using EventMesh.Host.Endpoints;
using EventMesh.Host.Errors;
using EventMesh.Marten.Audit;

namespace EventMesh.Host.Commands;

/// <summary><c>mesh privacy</c>: takes personal data out of the running node's log.</summary>
internal static class PrivacyCommand
{
    private static readonly Argument<string> Peer = new("peer") { Description = "The peer's full identity; it must not be joined." };

    public static Command Create() => new("privacy", "Personal data in the running node's log.")
    {
        new Command("erase", "Replace a peer's addresses by pseudonyms, for good; the chain shows it and survives it.") { Peer }.ForRunningNode().Runs(EraseAsync),
    };

    private static async Task<ExitCode> EraseAsync(CommandContext context, CancellationToken token)
    {
        // What is erased can't be brought back: no beginning of an identity here.
        if (!PeerId.TryParse(context.Get(Peer), out PeerId peer))
            throw new MeshException(MeshError.InvalidConfiguration, $"'{context.Get(Peer)}' is not the full identity of a peer (52 characters a-z and 2-7).");
        using ControlClient client = context.CreateClient();
        AuditErasure erasure = await client.EraseAsync(new ErasureRequest(peer), token);
        if (context.IsJson) context.WriteJson(erasure);
        else if (erasure.Events == 0) await context.Out.WriteLineAsync($"The log has no addresses of peer {peer.ToShortString()}.");
        else await context.Out.WriteLineAsync($"Erased the addresses of peer {peer.ToShortString()} in {erasure.Events} events; the event at place {erasure.Place} tells of it.");
        return ExitCode.Success;
    }
}
