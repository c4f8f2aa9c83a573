using EventMesh.Host.Commands;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace EventMesh.Host.Hosting;

/// <summary>The node's log lines: on stderr, since stdout is for results.</summary>
internal static class ConsoleLogging
{
    /// <summary>Adds the console log: a line per entry, or with JSON output an object per line.</summary>
    /// <param name="logging">The logging builder.</param>
    /// <param name="configuration">The configuration; its section <c>Logging</c> sets levels.</param>
    /// <param name="format">For whom.</param>
    /// <param name="verbose">Whether EventMesh's debug entries are shown too.</param>
    public static ILoggingBuilder AddMeshConsole(this ILoggingBuilder logging, IConfiguration configuration, OutputFormat format, bool verbose)
    {
        logging.SetMinimumLevel(LogLevel.Information);
        // Frameworks speak of requests and queries at Information: an operator wants to hear of the mesh.
        logging.AddFilter("Microsoft", LogLevel.Warning);
        logging.AddFilter("System", LogLevel.Warning);
        logging.AddFilter("Marten", LogLevel.Warning);
        logging.AddFilter("Npgsql", LogLevel.Warning);
        logging.AddFilter("JasperFx", LogLevel.Warning);
        logging.AddFilter("Weasel", LogLevel.Warning);
        // Logs a failed start with its stack trace; the command tells of it in one message.
        logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None);
        if (verbose) logging.AddFilter("EventMesh", LogLevel.Debug);
        logging.AddConfiguration(configuration.GetSection("Logging"));
        logging.Services.Configure<ConsoleLoggerOptions>(o => o.LogToStandardErrorThreshold = LogLevel.Trace);
        if (format == OutputFormat.Json)
        {
            logging.AddJsonConsole(o =>
            {
                o.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";
                o.UseUtcTimestamp = true;
            });
        }
        else
        {
            logging.AddSimpleConsole(o =>
            {
                o.SingleLine = true;
                o.TimestampFormat = "HH:mm:ss.fff ";
                o.UseUtcTimestamp = false;
            });
        }
        return logging;
    }
}
