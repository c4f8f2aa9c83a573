namespace EventMesh.Dispatch;

/// <summary>Until when the handler that runs now has time, for the sends that it makes.</summary>
internal sealed class HandlingScope : IDisposable
{
    private static readonly AsyncLocal<HandlingScope?> Current = new();
    private readonly DateTimeOffset _end;

    // What the handler has started and left behind carries the scope on, but is not bound by it.
    private volatile bool _isOver;

    private HandlingScope(DateTimeOffset end) => _end = end;

    /// <summary>The end of the running handler's time; null outside of handlers.</summary>
    public static DateTimeOffset? End => Current.Value is { _isOver: false } scope ? scope._end : null;

    /// <summary>Notes the end of the time of the handler that this asynchronous flow is about to call.</summary>
    public static HandlingScope Enter(DateTimeOffset end) => Current.Value = new HandlingScope(end);

    /// <summary>The handler has returned.</summary>
    public void Dispose() => _isOver = true;
}
