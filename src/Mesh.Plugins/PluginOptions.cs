namespace EventMesh.Plugins;

/// <summary>Plugins and the application's own handlers: section <c>EventMesh:Plugins</c>.</summary>
/// <remarks>The settings of a plugin itself are in <c>EventMesh:Plugins:Settings:&lt;name&gt;</c>.</remarks>
public sealed class PluginOptions
{
    /// <summary>The configuration section.</summary>
    public const string SectionName = "EventMesh:Plugins";

    /// <value>The folder whose subfolders are plugins, each loaded at start. Defaults to none: nothing is loaded.</value>
    public string? Directory { get; set; }

    /// <value>Whether a plugin that can't be loaded keeps the node from starting. Defaults to true; with false the node starts without it.</value>
    public bool FailOnError { get; set; } = true;

    /// <value>
    /// Messages that wait for one plugin, and as many notifications. Defaults to 1,024; 1 to 1,048,576. More messages are refused with
    /// <see cref="MeshError.Busy"/>; of the notifications the oldest is dropped.
    /// </value>
    public int QueueLength { get; set; } = 1024;

    /// <value>
    /// Bytes of the messages that wait for one plugin, its worst-case memory. Defaults to 64 MiB; at least 1 byte. A single larger
    /// message may wait alone.
    /// </value>
    public long QueueBytes { get; set; } = 64L * 1024 * 1024;

    /// <value>
    /// Messages and notifications that one plugin handles at a time. Defaults to 1: in the order in which they arrived; 1 to 1,024.
    /// </value>
    public int Concurrency { get; set; } = 1;

    /// <value>
    /// Requests that one plugin handles at a time, beside its messages. Defaults to 128; 1 to 65,536. More are refused with
    /// <see cref="MeshError.Busy"/>.
    /// </value>
    public int MaxRunningRequests { get; set; } = 128;

    /// <value>
    /// How long the handlers of one message, notification or request may take. Defaults to 30 s; 10 ms to 1 h. After it they are cancelled,
    /// counted as failed and no longer waited for.
    /// </value>
    public TimeSpan HandlerTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <value>How long a plugin may take to load: its constructor and its configuration. Defaults to 30 s; 10 ms to 1 h.</value>
    public TimeSpan LoadTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <value>
    /// Failures in a row, or handlers past their time limit that still run, after which a plugin receives nothing until it is loaded again.
    /// Defaults to 5; 1 to 1,000,000.
    /// </value>
    public int QuarantineAfter { get; set; } = 5;

    /// <value>
    /// How long a plugin's waiting and running work may go on when the node stops or the plugin is reloaded. Defaults to 5 s; zero to 10 min.
    /// </value>
    public TimeSpan StopTimeout { get; set; } = TimeSpan.FromSeconds(5);
}
