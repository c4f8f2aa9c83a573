using System.CommandLine;
using EventMesh.Host.Control;
using EventMesh.Host.Endpoints;
using EventMesh.Host.Errors;
using EventMesh.Projections;
using Spectre.Console;

namespace EventMesh.Host.Commands;

/// <summary><c>mesh trust list</c>.</summary>
internal static class TrustListCommand
{
    public static Command Create() =>
        new Command("list", "List the pins, the trusted and blocked peers and addresses, and the revocations, now or at a time.")
        {
            PageOptions.AsOf, PageOptions.Node,
        }.WithFleet().ForRunningNode().Runs(async (context, token) =>
        {
            if (context.IsFleet()) return await FleetCommand.TrustAsync(context, token);
            if (context.Get(PageOptions.AsOf) is not null || context.Get(PageOptions.Node) is not null) return await ListHistoryAsync(context, token);
            using ControlClient client = context.CreateClient();
            TrustView view = await client.GetTrustAsync(token);
            if (context.IsJson)
            {
                context.WriteJson(view);
                return ExitCode.Success;
            }
            Table table = TextTable.Create("what", "who", "until", "since", "by", "reason");
            foreach (PinView pin in view.Pins)
            {
                string note = pin.Mismatch is { } other ? $"refused {other.ToShortString()} there since {TextTable.Time(pin.MismatchAt!.Value)}" : "";
                table.AddTextRow("pinned", $"{pin.Contact} to {pin.Peer.ToShortString()}", "", TextTable.Time(pin.At), pin.By, note);
            }
            foreach (TrustedPeerView peer in view.Trusted)
                table.AddTextRow("trusted", peer.Peer.ToString(), "", TextTable.Time(peer.At), peer.By, peer.Reason);
            foreach (BlockedPeerView peer in view.BlockedPeers)
                table.AddTextRow("blocked", peer.Peer.ToString(), End(peer.Until), TextTable.Time(peer.At), peer.By, peer.Reason);
            foreach (BlockedPrefixView prefix in view.BlockedPrefixes)
                table.AddTextRow("blocked", prefix.Prefix, End(prefix.Until), TextTable.Time(prefix.At), prefix.By, prefix.Reason);
            foreach (RevokedKeyView key in view.RevokedKeys)
                table.AddTextRow("revoked", key.Key.ToString(), "for good", TextTable.Time(key.At), key.By, key.Reason);
            foreach (RevokedCertificateView certificate in view.RevokedCertificates)
                table.AddTextRow("revoked", certificate.Fingerprint, "for good", TextTable.Time(certificate.At), certificate.By, certificate.Reason);
            context.Console.Write(table);
            return ExitCode.Success;
        });

    private static async Task<ExitCode> ListHistoryAsync(CommandContext context, CancellationToken token)
    {
        using ControlClient client = context.CreateClient();
        TrustHistoryView view = await client.GetTrustAsync(new QueryText().Add("at", context.Get(PageOptions.AsOf)).Add("node", context.Get(PageOptions.Node)), token);
        if (context.IsJson)
        {
            context.WriteJson(view);
            return ExitCode.Success;
        }
        Table table = TextTable.Create("what", "who", "until", "since", "by", "reason");
        foreach (TrustLedgerEntry entry in view.Decisions)
        {
            table.AddTextRow(
                Word(entry.Kind), entry.Peer is { } peer ? $"{entry.Subject} to {peer.ToShortString()}" : entry.Subject,
                entry.Kind is TrustLedgerKind.Block or TrustLedgerKind.PrefixBlock ? End(entry.Until) : "", TextTable.Time(entry.At), entry.By ?? "", entry.Reason ?? "");
        }
        context.Console.Write(table);
        await context.WriteFootAsync(view.AsOf, null);
        return ExitCode.Success;
    }

    private static string Word(TrustLedgerKind kind) => kind switch
    {
        TrustLedgerKind.Pin => "pinned",
        TrustLedgerKind.Trust => "trusted",
        TrustLedgerKind.Block or TrustLedgerKind.PrefixBlock => "blocked",
        TrustLedgerKind.Revocation => "revoked",
        TrustLedgerKind.Succession => "succeeded",
        TrustLedgerKind.Dispute => "disputed",
        _ => TextTable.Name(kind),
    };

    private static string End(DateTimeOffset? until) => until is { } end ? TextTable.Time(end) : "for ever";
}
