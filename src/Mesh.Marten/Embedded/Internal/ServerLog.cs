using System.Text;

namespace EventMesh.Marten.Embedded.Internal;

/// <summary>Keeps what the server writes: all of it in a file of bounded size, the last lines in memory for error messages.</summary>
internal sealed class ServerLog(string path) : IDisposable
{
    private const long MaxBytes = 1024 * 1024;
    private const int KeptLines = 20;

    private readonly Lock _mutex = new();
    private readonly Queue<string> _last = new();
    private FileStream? _file;

    public string Path { get; } = path;

    public void Add(string line)
    {
        lock (_mutex)
        {
            _last.Enqueue(line);
            if (_last.Count > KeptLines)
                _last.Dequeue();
            try
            {
                Write(line);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // A full disk: the server will say so itself, and the last lines are still in memory. Nobody could catch it: it is the thread of the server's output.
                Close();
            }
        }
    }

    /// <summary>The last lines since the server was started last, oldest first.</summary>
    public IReadOnlyList<string> LastLines()
    {
        lock (_mutex)
            return [.. _last];
    }

    /// <summary>The last line; empty when there is none.</summary>
    public string LastLine
    {
        get
        {
            lock (_mutex)
                return _last.LastOrDefault("");
        }
    }

    public void Forget()
    {
        lock (_mutex)
            _last.Clear();
    }

    public void Dispose()
    {
        lock (_mutex)
            Close();
    }

    private void Write(string line)
    {
        // Without a buffer: what a full disk did not take would be written again when the file is closed, and fail there.
        _file ??= new FileStream(Path, FileMode.Append, FileAccess.Write, FileShare.Read, bufferSize: 0);
        _file.Write(Encoding.UTF8.GetBytes(line + '\n'));
        if (_file.Length < MaxBytes)
            return;
        Close();
        File.Move(Path, Path + ".1", overwrite: true);
    }

    private void Close()
    {
        _file?.Dispose();
        _file = null;
    }
}
