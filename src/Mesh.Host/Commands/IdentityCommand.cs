using System.CommandLine;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EventMesh.Host.Control;
using EventMesh.Host.Endpoints;
using EventMesh.Host.Errors;
using EventMesh.Node;
using EventMesh.Trust;

namespace EventMesh.Host.Commands;

/// <summary><c>mesh identity</c>: the key and certificate of a data directory.</summary>
internal static class IdentityCommand
{
    private static readonly TimeSpan WarnBefore = TimeSpan.FromDays(30);

    private static readonly Option<string> Certificate = new("--certificate") { Description = "The certificate, then the authorities above it, PEM.", HelpName = "file", Required = true };
    private static readonly Option<string?> Key = new("--key") { Description = "Its private key, PEM. Default: the node's own.", HelpName = "file" };
    private static readonly Option<bool> NewPeer = new("--new-peer") { Description = "Begin as a peer that nobody knows, without the statement that the old key has signed." };
    private static readonly Argument<string?> Predecessor = new("predecessor") { Description = "The disputed key, or its beginning. Without it the disputes are listed.", Arity = ArgumentArity.ZeroOrOne };
    private static readonly Argument<string?> Successor = new("successor") { Description = "Its true successor, or the beginning of it; none for none of them.", Arity = ArgumentArity.ZeroOrOne };

    public static Command Create() => new("identity", "The node's key and certificate.")
    {
        new Command("show", "Show the identity of a data directory.").ForRunningNode().Runs(ShowAsync),
        new Command("request", "Print a signing request for an authority; makes the key at first use.").ForRunningNode().Runs(RequestAsync),
        new Command("import", "Take over a certificate of an authority. The node must not run.") { Certificate, Key, NewPeer }.ForRunningNode().Runs(ImportAsync),
        new Command("rotate", "Replace the key; the node stays the same peer. The node must not run.").ForRunningNode().Runs(RotateAsync),
        new Command("resolve", "Decide which successor of a disputed key is the true one.") { Predecessor, Successor }.ForRunningNode().Runs(ResolveAsync),
    };

    private static async Task<ExitCode> ShowAsync(CommandContext context, CancellationToken token)
    {
        string directory = CommonOptions.GetDataDirectory(context.Parse);
        using NodeIdentity identity = NodeIdentity.Load(directory, TimeProvider.System)
            ?? throw new MeshException(MeshError.DataDirectoryUnusable, $"There is no identity in '{directory}': a node makes one at its first start, or `mesh identity request`.");
        await WriteAsync(context, identity);
        return ExitCode.Success;
    }

    private static async Task<ExitCode> RequestAsync(CommandContext context, CancellationToken token)
    {
        string path = CommonOptions.GetDataDirectory(context.Parse);
        NodeIdentity? existing = Directory.Exists(path) ? NodeIdentity.Load(path, TimeProvider.System) : null;
        if (existing is null)
        {
            using DataDirectory directory = DataDirectory.Open(path);
            existing = NodeIdentity.LoadOrCreate(directory.Path, TimeProvider.System);
        }
        using NodeIdentity identity = existing;
        using ECDsa? ecdsa = identity.Certificate.GetECDsaPrivateKey();
        using RSA? rsa = identity.Certificate.GetRSAPrivateKey();
        string subject = $"CN={identity.Peer}";
        CertificateRequest request = ecdsa is not null
            ? new CertificateRequest(subject, ecdsa, HashAlgorithmName.SHA256)
            : new CertificateRequest(subject, rsa!, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        string pem = request.CreateSigningRequestPem();
        if (context.IsJson) context.WriteJson(new { identity.Peer, Request = pem });
        else await context.Out.WriteLineAsync(pem);
        return ExitCode.Success;
    }

    private static async Task<ExitCode> ImportAsync(CommandContext context, CancellationToken token)
    {
        string certificate = ReadFile(context.Get(Certificate)!);
        string? key = context.Get(Key) is { } file ? ReadFile(file) : null;
        using DataDirectory directory = Open(context);
        using NodeIdentity identity = NodeIdentity.Import(directory.Path, certificate, key, keepsHistory: !context.Get(NewPeer), TimeProvider.System);
        await WriteAsync(context, identity);
        return ExitCode.Success;
    }

    private static async Task<ExitCode> RotateAsync(CommandContext context, CancellationToken token)
    {
        using DataDirectory directory = Open(context);
        using NodeIdentity identity = NodeIdentity.Rotate(directory.Path, TimeProvider.System);
        await WriteAsync(context, identity);
        if (!context.IsJson) await context.Out.WriteLineAsync("The old key is gone. A mesh with an authority needs a certificate for the new one: mesh identity request.");
        return ExitCode.Success;
    }

    private static async Task<ExitCode> ResolveAsync(CommandContext context, CancellationToken token)
    {
        using ControlClient client = context.CreateClient();
        if (context.Get(Predecessor) is not { } predecessor)
        {
            DisputeView[] disputes = await client.GetDisputesAsync(token);
            if (context.IsJson) context.WriteJson(new { disputes });
            else if (disputes.Length == 0) await context.Out.WriteLineAsync("No key is disputed.");
            foreach (DisputeView dispute in context.IsJson ? [] : disputes)
                await context.Out.WriteLineAsync($"{dispute.Predecessor} has {dispute.Claimants.Count} claimants:{Environment.NewLine}  {string.Join($"{Environment.NewLine}  ", dispute.Claimants)}");
            return ExitCode.Success;
        }
        string successor = context.Get(Successor)
            ?? throw new MeshException(MeshError.InvalidConfiguration, "Give the true successor too, or none.");
        DecisionView decision = await client.ResolveAsync(new ResolveRequest(predecessor, successor == "none" ? null : successor), token);
        if (context.IsJson) context.WriteJson(decision);
        else await context.Out.WriteLineAsync($"{decision.Predecessor} is followed by {decision.Successor?.ToString() ?? "nobody"}.");
        return ExitCode.Success;
    }

    private static DataDirectory Open(CommandContext context)
    {
        string path = CommonOptions.GetDataDirectory(context.Parse);
        try
        {
            return DataDirectory.Open(path);
        }
        catch (MeshException e) when (e.Error == MeshError.DataDirectoryLocked)
        {
            throw new MeshException(MeshError.DataDirectoryLocked, $"A node runs on '{path}', and its key can't be changed under it. Stop it, and start it again afterwards.", e);
        }
    }

    private static async Task WriteAsync(CommandContext context, NodeIdentity identity)
    {
        X509Certificate2 own = identity.Certificate;
        DateTimeOffset notAfter = new DateTimeOffset(own.NotAfter).ToUniversalTime();
        string[] names = [.. own.Extensions.OfType<X509SubjectAlternativeNameExtension>().SelectMany(extension => extension.EnumerateDnsNames())];
        bool isSelfSigned = own.Issuer == own.Subject;
        if (context.IsJson)
        {
            context.WriteJson(new
            {
                identity.Peer,
                NodeId = identity.Node.ToString(),
                identity.KeyAlgorithm,
                own.Subject,
                own.Issuer,
                Serial = own.SerialNumber,
                DnsNames = names,
                NotAfter = notAfter,
                Rotations = identity.Succession.Select(s => new { s.Predecessor, s.Successor, s.Sequence, s.SignedAt }),
            });
            return;
        }
        await context.Out.WriteLineAsync(
            $"""
            peer         {identity.Peer}
            node         {identity.Node}
            key          {identity.KeyAlgorithm}
            certificate  {TextTable.Printable(own.Subject)}
            issuer       {(isSelfSigned ? "self-signed" : TextTable.Printable(own.Issuer))}
            DNS names    {(names.Length == 0 ? "none" : TextTable.Printable(string.Join(' ', names)))}
            valid until  {TextTable.Time(notAfter)}
            """);
        foreach (KeySuccession change in identity.Succession)
            await context.Out.WriteLineAsync($"rotation {change.Sequence,-3} {TextTable.Time(change.SignedAt)}  {change.Predecessor.ToShortString()} to {change.Successor.ToShortString()}");
        // A self-signed one is renewed at a start.
        if (!isSelfSigned && notAfter - TimeProvider.System.GetUtcNow() < WarnBefore)
            await context.Error.WriteLineAsync($"mesh: warning: The certificate expires at {TextTable.Time(notAfter)}: get a new one from its authority.");
    }

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
}
