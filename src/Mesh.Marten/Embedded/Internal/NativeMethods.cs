using System.Runtime.InteropServices;

namespace EventMesh.Marten.Embedded.Internal;

/// <summary>The few system calls that .NET has no name for.</summary>
internal static class NativeMethods
{
#pragma warning disable SYSLIB1054 // LibraryImport needs unsafe code, which only the ngtcp2 project may have.
    [DllImport("libc", EntryPoint = "chown", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static extern int ChangeOwner(byte[] path, uint owner, uint group);

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static extern int Kill(int pid, int signal);
#pragma warning restore SYSLIB1054
}
