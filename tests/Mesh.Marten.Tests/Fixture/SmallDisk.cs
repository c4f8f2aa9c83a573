using System.Diagnostics;
using Xunit;

namespace EventMesh.Marten.Tests.Fixture;

/// <summary>A file system of a few MiB in memory, mounted at a folder, that can be filled to the last byte.</summary>
internal sealed class SmallDisk : IDisposable
{
    private readonly string _path;

    private SmallDisk(string path) => _path = path;

    private string Ballast => Path.Combine(_path, "ballast");

    /// <summary>Mounts one; skips the test where that is not allowed.</summary>
    public static SmallDisk Mount(string path, int mebibytes)
    {
        if (!OperatingSystem.IsLinux() || !Environment.IsPrivilegedProcess)
            Assert.Skip("Only root on Linux can mount a small disk; the journal's and the spool's own tests have run with disks that refuse.");
        Directory.CreateDirectory(path);
        (int code, string errors) = Run("mount", "-t", "tmpfs", "-o", $"size={mebibytes}m,mode=755", "tmpfs", path);
        if (code != 0)
            Assert.Skip($"Mounting is not allowed here, not even for root: {errors.Trim()}");
        return new SmallDisk(path);
    }

    /// <summary>Leaves no byte.</summary>
    public void Fill()
    {
        byte[] block = new byte[4096];
        using var file = new FileStream(Ballast, FileMode.Append, FileAccess.Write, FileShare.Read, bufferSize: 0);
        try
        {
            while (true)
                file.Write(block);
        }
        catch (IOException)
        {
            // Full.
        }
    }

    /// <summary>Takes away what filled it.</summary>
    public void Free() => File.Delete(Ballast);

    public void Dispose() => Run("umount", "-l", _path);

    private static (int Code, string Errors) Run(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, UseShellExecute = false })!;
        string errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, errors);
    }
}
