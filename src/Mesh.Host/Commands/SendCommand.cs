using System.CommandLine;
using EventMesh.Host.Control;
using EventMesh.Host.Endpoints;
using EventMesh.Host.Errors;

namespace EventMesh.Host.Commands;

/// <summary><c>mesh send</c>.</summary>
internal static class SendCommand
{
    private static readonly Argument<string> Peer = new("peer") { Description = "The peer's identity, or its beginning where only one joined peer has it." };
    private static readonly Argument<string> Channel = new("channel") { Description = "Which handlers it is for, such as 'echo'." };
    private static readonly Argument<string> Text = new("text") { Description = "The content." };

    private static readonly Option<bool> Request = new("--request") { Description = "Send a request and print its response." };

    private static readonly Option<bool> Handled = new("--handled")
    {
        Description = "Wait until the peer's handlers have returned, not only until the message has arrived.",
    };

    public static Command Create()
    {
        Command command = new("send", "Send a message, or with --request a request, to a joined peer.") { Peer, Channel, Text, Request, Handled };
        command.Validators.Add(result =>
        {
            if (result.GetValue(Request) && result.GetValue(Handled)) result.AddError("--request waits for its response: --handled does not go with it.");
        });
        return command.ForRunningNode().Runs((context, token) => context.Get(Request) ? RequestAsync(context, token) : SendAsync(context, token));
    }

    private static async Task<ExitCode> SendAsync(CommandContext context, CancellationToken token)
    {
        using ControlClient client = context.CreateClient();
        SendRequest message = new(
            context.Get(Peer)!, context.Get(Channel)!, context.Get(Text), Delivery: context.Get(Handled) ? DeliveryMode.Handled : DeliveryMode.Acknowledged);
        SendBatchResponse response = await client.SendAsync(new SendBatchRequest([message]), token);
        ReceiptView receipt = response.Receipts[0];
        bool sent = receipt.Outcome is SendOutcome.Acknowledged or SendOutcome.Handled;
        if (context.IsJson)
        {
            context.WriteJson(receipt);
            return sent ? ExitCode.Success : ExitCode.NotDelivered;
        }
        if (!sent) throw new MeshException(receipt.Error ?? MeshError.ConnectionLost, Explain(receipt));
        await context.Out.WriteLineAsync($"{receipt.Outcome} by {receipt.Peer.ToShortString()}: message {receipt.Id}.");
        return ExitCode.Success;
    }

    private static async Task<ExitCode> RequestAsync(CommandContext context, CancellationToken token)
    {
        using ControlClient client = context.CreateClient();
        RequestResponse response = await client.RequestAsync(new(context.Get(Peer)!, context.Get(Channel)!, context.Get(Text)), token);
        if (context.IsJson) context.WriteJson(response);
        else await context.Out.WriteLineAsync(response.Text ?? Convert.ToBase64String(response.Payload));
        return ExitCode.Success;
    }

    private static string Explain(ReceiptView receipt)
    {
        string peer = receipt.Peer.ToShortString();
        return (receipt.Outcome, receipt.Error) switch
        {
            (SendOutcome.Unknown, _) =>
                $"The connection with {peer} was lost before the message was acknowledged: it may have arrived. Send it again if twice does no harm.",
            (_, MeshError.NotConnected) => $"Peer {peer} is not joined: the message was not sent. `mesh peers` lists those that are, `mesh connect` dials.",
            (_, MeshError.NoHandler) => $"No handler of {peer} takes the channel: the message was refused. Load a plugin for it there.",
            (_, MeshError.Busy) => $"Peer {peer} has no room for the message now: send it again later.",
            (_, MeshError.HandlerFailed) => $"A handler of {peer} failed on the message. That node's log says why.",
            (_, { } error) => $"The message to {peer} was not delivered ({TextTable.Name(receipt.Outcome)}): {ErrorCatalog.Get(error).Title.ToLowerInvariant()}.",
            _ => $"The message to {peer} was not delivered ({TextTable.Name(receipt.Outcome)}).",
        };
    }
}
