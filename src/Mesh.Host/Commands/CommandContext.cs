using System.CommandLine;
using System.Text.Json;
using EventMesh.Host.Control;
using EventMesh.Host.Errors;
using Spectre.Console;

namespace EventMesh.Host.Commands;

/// <summary>What a command works with: its parsed options and where its output goes.</summary>
internal sealed class CommandContext(ParseResult parse)
{
    private IAnsiConsole? _console;

    /// <summary>The parsed command line.</summary>
    public ParseResult Parse { get; } = parse;

    /// <summary>For whom to print.</summary>
    public OutputFormat Format { get; } = Read(parse, CommonOptions.Output);

    /// <summary>Whether to print JSON.</summary>
    public bool IsJson => Format == OutputFormat.Json;

    /// <summary>Whether to print stack traces.</summary>
    public bool IsVerbose { get; } = Read(parse, CommonOptions.Verbose);

    /// <summary>The command's results.</summary>
    public TextWriter Out => Parse.InvocationConfiguration.Output;

    /// <summary>Everything else.</summary>
    public TextWriter Error => Parse.InvocationConfiguration.Error;

    /// <summary>Results with tables and colours, where the terminal has them.</summary>
    public IAnsiConsole Console => _console ??= CreateConsole();

    /// <summary>The value of an option.</summary>
    public T? Get<T>(Option<T> option) => Parse.GetValue(option);

    /// <summary>The value of an argument.</summary>
    public T? Get<T>(Argument<T> argument) => Parse.GetValue(argument);

    /// <summary>A client of the node on the data directory that the options and the configuration name.</summary>
    public ControlClient CreateClient() => new(CommonOptions.GetDataDirectory(Parse));

    /// <summary>Prints one JSON object on a line of its own.</summary>
    public void WriteJson<T>(T value) => Out.WriteLine(JsonSerializer.Serialize(value, ControlJson.Options));

    /// <summary>Prints the one message of a failed command and says its exit code.</summary>
    public ExitCode Report(MeshException exception)
    {
        ExitCode code = ErrorCatalog.Get(exception.Error).ExitCode;
        if (IsJson)
        {
            MeshProblem problem = MeshProblem.From(exception) with { ExitCode = (int)code, Trace = IsVerbose ? exception.ToString() : null };
            Error.WriteLine(JsonSerializer.Serialize(problem, ControlJson.Options));
        }
        else
        {
            Error.WriteLine($"mesh: {exception.Message}");
            if (IsVerbose) Error.WriteLine(exception);
        }
        return code;
    }

    // A command line with a mistake in this very option is reported through this type too.
    private static T? Read<T>(ParseResult parse, Option<T> option) => parse.GetResult(option)?.Errors.Any() == true ? default : parse.GetValue(option);

    private IAnsiConsole CreateConsole()
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Out) });
        // Tables in a pipe must not be cut at a terminal's width that does not exist.
        if (System.Console.IsOutputRedirected || Out != System.Console.Out) console.Profile.Width = 240;
        return console;
    }
}
