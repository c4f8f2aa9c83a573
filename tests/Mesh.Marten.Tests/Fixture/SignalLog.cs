using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace EventMesh.Marten.Tests.Fixture;

/// <summary>A log that a test waits on.</summary>
internal sealed class SignalLog : ILoggerFactory, ILogger
{
    private readonly Channel<(string? Event, string Text)> _lines = Channel.CreateBounded<(string?, string)>(
        new BoundedChannelOptions(10_000) { FullMode = BoundedChannelFullMode.DropOldest });

    /// <summary>The text of the next line with this name.</summary>
    public async Task<string> NextAsync(string name, CancellationToken cancellationToken)
    {
        await foreach ((string? line, string text) in _lines.Reader.ReadAllAsync(cancellationToken))
        {
            if (line == name)
                return text;
        }
        throw new InvalidOperationException();
    }

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _lines.Writer.TryWrite((eventId.Name, $"{formatter(state, exception)} {exception?.Message}"));

    public void Dispose()
    {
    }
}
