namespace EventMesh.Host.Demo;

/// <summary>Shows how the demo goes.</summary>
internal interface IDemoDisplay
{
    /// <summary>A step began.</summary>
    void Step(string text);

    /// <summary>Something that a table of the nodes shows has changed; called often.</summary>
    void Changed();

    /// <summary>Runs the demo under the display.</summary>
    Task<T> RunAsync<T>(Func<IReadOnlyList<DemoRow>> rows, Func<Task<T>> demo);
}

/// <summary>A node in the display.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Process">Its process, or why there is none.</param>
/// <param name="Listen">Where it listens.</param>
/// <param name="Peers">How many peers are joined.</param>
/// <param name="Received">Messages received.</param>
/// <param name="LastEvent">The last event of its log.</param>
internal sealed record DemoRow(string Name, string Process, string Listen, int Peers, int Received, string LastEvent);
