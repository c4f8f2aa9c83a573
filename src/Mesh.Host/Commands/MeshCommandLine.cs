using System.CommandLine;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using EventMesh.Host.Bench;
using EventMesh.Host.Errors;

namespace EventMesh.Host.Commands;

/// <summary>The command line of <c>mesh</c>; docs/cli.md describes it.</summary>
internal static class MeshCommandLine
{
    /// <summary>All commands.</summary>
    public static RootCommand Create()
    {
        RootCommand root = new("A node of an EventMesh: peers over QUIC, every change an event in PostgreSQL.")
        {
            RunCommand.Create(),
            DemoCommand.Create(),
            PeersCommand.Create(),
            ConnectionsCommand.Create(),
            TimelineCommand.Create(),
            DiffCommand.Create(),
            TopologyCommand.Create(),
            ExportCommand.Create(),
            ImportCommand.Create(),
            SendCommand.Create(),
            ReceiveCommand.Create(),
            ConnectCommand.Create(),
            DisconnectCommand.Create(),
            EventsCommand.Create(),
            CacheCommand.Create(),
            TrustCommand.Create(),
            StoreCommand.Create(),
            ProjectionsCommand.Create(),
            FleetCommand.Create(),
            SegmentsCommand.Create(),
            AuditCommand.Create(),
            PrivacyCommand.Create(),
            DoctorCommand.Create(),
            new Command("bench", "Measure this machine.")
            {
                TransportBenchmarkCommand.Create(), PeersBenchmarkCommand.Create(), JournalBenchmarkCommand.Create(),
                HistoryBenchmarkCommand.Create(),
                CrashBenchmarkCommand.Create(), OutageBenchmarkCommand.Create(),
            },
            IdentityCommand.Create(),
            CaCommand.Create(),
        };
        root.Options.Add(CommonOptions.Output);
        root.Options.Add(CommonOptions.Verbose);
        return root;
    }

    /// <summary>Parses and runs; returns the process's exit code, a member of <see cref="ExitCode"/>.</summary>
    public static async Task<int> InvokeAsync(IReadOnlyList<string> args, TextWriter output, TextWriter error)
    {
        InvocationConfiguration configuration = new()
        {
            Output = output,
            Error = error,
            EnableDefaultExceptionHandler = false,
            // CommandRunner takes the signals: here a time limit would cut a node's orderly stop short.
            ProcessTerminationTimeout = null,
        };
        ParseResult parse = Create().Parse(TrustCommand.Rename(args));
        if (parse.Action is ParseErrorAction) return (int)ReportUsage(parse, error, args);
        return await parse.InvokeAsync(configuration);
    }

    private static ExitCode ReportUsage(ParseResult parse, TextWriter error, IReadOnlyList<string> args)
    {
        string command = PathOf(parse.CommandResult);
        // Of a mistyped command the parser says first that there is none.
        IEnumerable<string> errors = parse.UnmatchedTokens.Count > 0
            ? parse.UnmatchedTokens.Select(t => $"'{t}' is not known here.")
            : parse.Errors.Select(e => e.Message);
        string message = args.Count == 0 ? "Which command? `mesh --help` lists them." : $"{string.Join(' ', errors)} `{command} --help` shows what it takes.";
        parse.InvocationConfiguration.Error = error;
        return new CommandContext(parse).Report(new MeshException(MeshError.InvalidConfiguration, message));
    }

    private static string PathOf(CommandResult result) => result.Parent is CommandResult parent ? $"{PathOf(parent)} {result.Command.Name}" : "mesh";
}
