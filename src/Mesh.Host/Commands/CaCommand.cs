using System.CommandLine;
using EventMesh.Host.Authority;
using EventMesh.Host.Errors;
using Spectre.Console;

namespace EventMesh.Host.Commands;

/// <summary><c>mesh ca</c>: a private authority in a folder. No node takes part.</summary>
internal static class CaCommand
{
    private static readonly Option<string> Folder = new("--ca")
    {
        Description = "The authority's folder. Keep it away from the nodes: who has it can make certificates.",
        HelpName = "directory",
        DefaultValueFactory = _ => "mesh-ca",
    };

    private static readonly Option<string> Name = new("--name") { Description = "The authority's name.", HelpName = "name", DefaultValueFactory = _ => "EventMesh" };
    private static readonly Option<long?> Years = StrictOption.Number("--years", 1);
    private static readonly Option<bool> Intermediate = new("--intermediate") { Description = "Make an authority below the root that issues for it, so that the root's key can be kept elsewhere." };

    private static readonly Argument<string> Node = new("name") { Description = "The node's name, for people and for the files." };
    private static readonly Option<string[]> DnsNames = new("--dns") { Description = "A DNS name of the node; repeatable.", HelpName = "name" };
    private static readonly Option<long?> Days = StrictOption.Number("--days", 1);
    private static readonly Option<bool> Client = new("--client") { Description = "A certificate that can only dial." };
    private static readonly Option<string?> Request = new("--request") { Description = "The node's signing request (mesh identity request). Default: a key is made too.", HelpName = "file" };
    private static readonly Option<string> Output = new("--out") { Description = "The folder for the certificate and the key.", HelpName = "directory", DefaultValueFactory = _ => "." };

    private static readonly Argument<string[]> Which = new("which")
    {
        Description = "Names, serial numbers or peer identities. Without any the revocation list is only renewed.",
        Arity = ArgumentArity.ZeroOrMore,
    };

    private static readonly Option<RevocationReason?> Reason = CreateReason();

    public static Command Create()
    {
        Years.Description = "How long root and intermediate are valid. Default: 10.";
        Days.Description = "How long the certificate is valid. Default: 365.";
        return new Command("ca", "A private authority for the trust mode PrivateAuthority.")
        {
            new Command("init", "Make an authority.") { Folder, Name, Years, Intermediate }.Runs(InitAsync),
            new Command("issue", "Issue a node's certificate.") { Node, Folder, DnsNames, Days, Client, Request, Output }.Runs(IssueAsync),
            new Command("revoke", "Revoke certificates and write the revocation list.") { Which, Folder, Reason }.Runs(RevokeAsync),
            new Command("list", "List what was issued, and warn of what expires.") { Folder }.Runs(ListAsync),
        };
    }

    private static async Task<ExitCode> InitAsync(CommandContext context, CancellationToken token)
    {
        string name = context.Get(Name)!;
        if (name.Length is 0 or > 48 || name.Any(char.IsControl)) throw new MeshException(MeshError.InvalidConfiguration, "An authority's name has 1 to 48 characters.");
        using PrivateAuthority authority = PrivateAuthority.Create(
            context.Get(Folder)!, name, Number(context.Get(Years), 10, 50, "--years"), context.Get(Intermediate), TimeProvider.System);
        if (context.IsJson)
        {
            context.WriteJson(new { authority.Index.Name, Root = authority.RootFile, RevocationList = authority.RevocationListFile, HasIntermediate = context.Get(Intermediate) });
            return ExitCode.Success;
        }
        await context.Out.WriteLineAsync(
            $"""
            Made the authority '{name}'.
              root             {authority.RootFile}
              revocation list  {authority.RevocationListFile}
            Nodes need both: EventMesh:Trust:Roots and EventMesh:Trust:RevocationLists. Next: mesh ca issue NAME --ca {context.Get(Folder)}
            """);
        if (context.Get(Intermediate)) await context.Out.WriteLineAsync("root.key is not needed any more until the intermediate expires: keep it offline.");
        return ExitCode.Success;
    }

    private static async Task<ExitCode> IssueAsync(CommandContext context, CancellationToken token)
    {
        string? request = context.Get(Request) is { } file ? ReadFile(file) : null;
        string[] names = context.Get(DnsNames) ?? [];
        if (names.FirstOrDefault(name => Uri.CheckHostName(name.StartsWith("*.", StringComparison.Ordinal) ? name[2..] : name) != UriHostNameType.Dns) is { } wrong)
            throw new MeshException(MeshError.InvalidConfiguration, $"'{wrong}' is not a DNS name.");
        using PrivateAuthority authority = PrivateAuthority.Open(context.Get(Folder)!, TimeProvider.System);
        IssueResult result = authority.Issue(
            new IssueRequest(context.Get(Node)!, names, Number(context.Get(Days), 365, 3650, "--days"), context.Get(Client), request), context.Get(Output)!);
        if (context.IsJson)
        {
            context.WriteJson(result);
            return ExitCode.Success;
        }
        string key = result.KeyFile is null ? "" : $" --key {result.KeyFile}";
        await context.Out.WriteLineAsync(
            $"""
            Issued {result.Certificate.Name}, peer {result.Certificate.Peer.ToShortString()}, valid until {TextTable.Time(result.Certificate.NotAfter)}.
              serial number  {result.Certificate.Serial}
              certificate    {result.CertificateFile}{(result.KeyFile is null ? "" : $"{Environment.NewLine}  key            {result.KeyFile}")}
            On the node: mesh identity import --certificate {result.CertificateFile}{key}
            """);
        await WarnAsync(context, result.Warnings);
        return ExitCode.Success;
    }

    private static async Task<ExitCode> RevokeAsync(CommandContext context, CancellationToken token)
    {
        using PrivateAuthority authority = PrivateAuthority.Open(context.Get(Folder)!, TimeProvider.System);
        IReadOnlyList<IssuedCertificate> revoked = authority.Revoke(context.Get(Which) ?? [], context.Get(Reason) ?? RevocationReason.Unspecified);
        if (context.IsJson)
        {
            context.WriteJson(new { revoked, RevocationList = authority.RevocationListFile });
            return ExitCode.Success;
        }
        foreach (IssuedCertificate certificate in revoked) await context.Out.WriteLineAsync($"Revoked {certificate.Name}, peer {certificate.Peer.ToShortString()}, serial number {certificate.Serial}.");
        await context.Out.WriteLineAsync($"Copy {authority.RevocationListFile} to the nodes: they read it again within 10 s.");
        await WarnAsync(context, authority.Warnings());
        return ExitCode.Success;
    }

    private static async Task<ExitCode> ListAsync(CommandContext context, CancellationToken token)
    {
        using PrivateAuthority authority = PrivateAuthority.Open(context.Get(Folder)!, TimeProvider.System);
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        if (context.IsJson)
        {
            context.WriteJson(new
            {
                authority.Index.Name,
                Certificates = authority.Index.Issued.Select(c => new { c.Serial, c.Name, c.Peer, c.DnsNames, c.NotBefore, c.NotAfter, State = c.StateAt(now), c.RevokedAt, c.Reason }),
                Warnings = authority.Warnings(),
            });
            return ExitCode.Success;
        }
        Table table = TextTable.Create("name", "peer", "state", "valid until", "DNS names", "serial number");
        foreach (IssuedCertificate c in authority.Index.Issued)
            table.AddTextRow(c.Name, c.Peer.ToShortString(), Text(c.StateAt(now)), TextTable.Time(c.NotAfter), string.Join(' ', c.DnsNames), c.Serial);
        context.Console.Write(table);
        await WarnAsync(context, authority.Warnings());
        return ExitCode.Success;
    }

    private static string Text(CertificateState state) => state == CertificateState.ExpiresSoon ? "expires soon" : TextTable.Name(state);

    private static async Task WarnAsync(CommandContext context, IEnumerable<string> warnings)
    {
        foreach (string warning in warnings) await context.Error.WriteLineAsync($"mesh: warning: {warning}");
    }

    private static int Number(long? value, int standard, int most, string option) =>
        value is null ? standard
        : value <= most ? (int)value
        : throw new MeshException(MeshError.InvalidConfiguration, $"{option} takes at most {most}.");

    private static string ReadFile(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new MeshException(MeshError.InvalidConfiguration, $"'{file}' can't be read: {e.Message}", e);
        }
    }

    private static Option<RevocationReason?> CreateReason()
    {
        Option<RevocationReason?> option = StrictOption.OfOptional<RevocationReason>("--reason");
        option.Description = "Why. Default: unspecified.";
        return option;
    }
}
