using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace EventMesh.Tests.Common.Hosting;

/// <summary>Keeps the lines of a log by event.</summary>
public sealed class LineLog : ILogger, ILoggerProvider
{
    /// <summary>What was logged: the event's name, and the line.</summary>
    public ConcurrentQueue<(string? Event, LogLevel Level, string Line)> Lines { get; } = [];

    /// <summary>The lines of one event.</summary>
    public IReadOnlyList<string> Of(string name) => [.. Lines.Where(line => line.Event == name).Select(line => line.Line)];

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        ArgumentNullException.ThrowIfNull(formatter);
        Lines.Enqueue((eventId.Name, logLevel, formatter(state, exception)));
    }

    public void Dispose()
    {
        // Nothing is held.
    }
}
