namespace EventMesh.Plugins.Internal;

/// <summary>The errors about plugins, all in the same words: which folder, why, and what to do.</summary>
internal static class Unusable
{
    public static MeshException Because(string folder, string cause, string remedy, Exception? exception = null) =>
        new(MeshError.PluginUnusable, $"The plugin in '{folder}' can't be used: {cause}. {remedy}", exception);

    /// <summary>An exception in one line, for people: what was thrown by the plugin itself, without the wrappers of reflection and tasks.</summary>
    public static string Describe(Exception exception)
    {
        while (exception is System.Reflection.TargetInvocationException or AggregateException { InnerExceptions.Count: 1 }
            && exception.InnerException is { } inner)
            exception = inner;
        string text = exception is AggregateException several
            ? string.Join("; ", several.InnerExceptions.Select(Describe))
            : $"{exception.GetType().Name}: {exception.Message}";
        text = text.ReplaceLineEndings(" ").TrimEnd('.', ' ');
        return text.Length <= MaxLength ? text : $"{text.AsSpan(0, MaxLength)}...";
    }

    // The text goes to the log, and a message of a peer may be in it.
    private const int MaxLength = 512;
}
