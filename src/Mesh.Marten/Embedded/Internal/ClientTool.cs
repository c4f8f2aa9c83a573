using System.Diagnostics;

namespace EventMesh.Marten.Embedded.Internal;

/// <summary>A run of one of PostgreSQL's client programs. Disposing ends one that still runs.</summary>
internal sealed class ClientTool : IDisposable
{
    private const int ToldLines = 5;

    private readonly Process _process;
    private readonly Task<string> _errors;

    private ClientTool(Process process)
    {
        _process = process;
        _errors = process.StandardError.ReadToEndAsync();
    }

    public Stream Input => _process.StandardInput.BaseStream;

    public Stream Output => _process.StandardOutput.BaseStream;

    public static ClientTool Start(ProcessStartInfo info)
    {
        try
        {
            return new ClientTool(Process.Start(info)!);
        }
        catch (System.ComponentModel.Win32Exception exception)
        {
            throw new MeshException(MeshError.StoreUnavailable, $"{info.FileName} can't be started: {exception.Message}", exception);
        }
    }

    public void Kill()
    {
        if (!_process.HasExited)
            _process.Kill();
    }

    /// <summary>Waits for its end.</summary>
    /// <exception cref="MeshException">It has failed; with what it said last.</exception>
    public async Task EndAsync(CancellationToken cancellationToken)
    {
        await _process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
        if (_process.ExitCode == 0)
            return;
        string[] lines = (await _errors.ConfigureAwait(false)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        throw new MeshException(
            MeshError.StoreUnavailable, $"{_process.StartInfo.FileName} ended with code {_process.ExitCode}:\n  {string.Join("\n  ", lines.TakeLast(ToldLines))}");
    }

    public void Dispose()
    {
        Kill();
        _process.Dispose();
    }
}
