namespace EventMesh.Plugins.Tests;

/// <summary>Something that a test waits for, for at most 10 s.</summary>
internal sealed class Signal
{
    private readonly TaskCompletionSource _source = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public bool IsSet => _source.Task.IsCompleted;

    public void Set() => _source.TrySetResult();

    public Task WaitAsync() => _source.Task.WaitAsync(TimeSpan.FromSeconds(10));
}
