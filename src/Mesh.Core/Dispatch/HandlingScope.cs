namespace EventMesh.Dispatch;

/// <summary>Until when the handler that runs now has time, for the sends that it makes.</summary>
internal static class HandlingScope
{
    private static readonly AsyncLocal<DateTimeOffset?> Until = new();

    /// <summary>The end of the running handler's time; null outside of handlers.</summary>
    public static DateTimeOffset? End => Until.Value;

    /// <summary>Notes the end of the time of the handler that this asynchronous flow is about to call.</summary>
    public static void Enter(DateTimeOffset end) => Until.Value = end;
}
