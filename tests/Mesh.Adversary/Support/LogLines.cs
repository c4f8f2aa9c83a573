using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace EventMesh.Adversary.Support;

/// <summary>Keeps what a node logs from Warning on, and every line that carries an exception.</summary>
internal sealed class LogLines : ILoggerFactory, ILogger
{
    private const int Limit = 1000;

    public ConcurrentQueue<(LogLevel Level, EventId Id, string Text)> Lines { get; } = [];

    /// <summary>How many lines an operator with the default settings would get: Information and above.</summary>
    public int Shown => _shown;

    private int _shown;

    public void AddProvider(ILoggerProvider provider)
    {
    }

    public ILogger CreateLogger(string categoryName) => this;

    public void Dispose()
    {
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (logLevel >= LogLevel.Information) Interlocked.Increment(ref _shown);
        if ((logLevel >= LogLevel.Warning || exception is not null) && Lines.Count < Limit)
            Lines.Enqueue((logLevel, eventId, $"{formatter(state, exception)} {exception}"));
    }
}
