using System.CommandLine;
using EventMesh.Host.Control;
using EventMesh.Host.Endpoints;
using EventMesh.Host.Errors;

namespace EventMesh.Host.Commands;

/// <summary><c>mesh connect</c>.</summary>
internal static class ConnectCommand
{
    private static readonly Argument<string> Address = new("address") { Description = "address:port or name:port." };

    private static readonly Option<string?> Expect = new("--expect")
    {
        Description = "The full identity of the peer that has to be there.",
        HelpName = "peer",
    };

    public static Command Create()
    {
        Command command = new("connect", "Dial an address and wait until the peer there is joined.") { Address, Expect };
        return command.ForRunningNode().Runs(async (context, token) =>
        {
            PeerId? expected = ParseExpected(context.Get(Expect));
            using ControlClient client = context.CreateClient();
            PeerView peer = await client.ConnectAsync(new ConnectRequest(context.Get(Address)!, expected), token);
            if (context.IsJson) context.WriteJson(peer);
            else await context.Out.WriteLineAsync($"Joined {peer.Peer} ({TextTable.Name(peer.Kind)}) at {peer.Remote}.");
            return ExitCode.Success;
        });
    }

    /// <summary>The full identity that <c>--expect</c> gives; null without it.</summary>
    /// <exception cref="MeshException"><see cref="MeshError.InvalidConfiguration"/>: it is none.</exception>
    public static PeerId? ParseExpected(string? text) => text is null
        ? null
        : PeerId.TryParse(text, out PeerId id)
            ? id
            : throw new MeshException(MeshError.InvalidConfiguration, $"'{text}' is not a peer identity (52 characters a-z and 2-7). A short one is not enough for --expect.");
}
