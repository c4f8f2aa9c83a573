using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace EventMesh.Marten.Tests.Fleet;

/// <summary>Keeps what is logged: the event's name and the text.</summary>
internal sealed class CapturedLog<T> : ILogger<T>
{
    public ConcurrentQueue<string> Lines { get; } = [];

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Lines.Enqueue($"{eventId.Name}: {formatter(state, exception)}");
}
