using System.Runtime.InteropServices;

namespace EventMesh.Transport.Ngtcp2.Interop;

/// <summary>The socket calls that System.Net.Sockets does not have: batches, segmentation offload, ancillary data.</summary>
internal static unsafe partial class Native
{
    private const string Libc = "libc";

    [LibraryImport(Libc, SetLastError = true)]
    public static partial int socket(int domain, int type, int protocol);

    [LibraryImport(Libc, SetLastError = true)]
    public static partial int bind(int fd, byte* address, uint length);

    [LibraryImport(Libc, SetLastError = true)]
    public static partial int getsockname(int fd, byte* address, uint* length);

    [LibraryImport(Libc, SetLastError = true)]
    public static partial int setsockopt(int fd, int level, int option, void* value, uint length);

    [LibraryImport(Libc, SetLastError = true)]
    public static partial int recvmmsg(int fd, mmsghdr* messages, uint count, int flags, timespec* timeout);

    [LibraryImport(Libc, SetLastError = true)]
    public static partial int sendmmsg(int fd, mmsghdr* messages, uint count, int flags);

    [LibraryImport(Libc, SetLastError = true)]
    public static partial int ppoll(pollfd* descriptors, nuint count, timespec* timeout, void* signals);

    [LibraryImport(Libc, SetLastError = true)]
    public static partial int eventfd(uint value, int flags);

    [LibraryImport(Libc)]
    public static partial nint write(int fd, void* data, nuint length);

    [LibraryImport(Libc)]
    public static partial nint read(int fd, void* data, nuint length);

    [LibraryImport(Libc)]
    public static partial int close(int fd);

    [LibraryImport(Libc)]
    public static partial int prctl(int option, nuint a, nuint b, nuint c, nuint d);

    [LibraryImport(Libc), SuppressGCTransition]
    public static partial int clock_gettime(int clock, timespec* time);

    /// <summary>The monotonic clock in nanoseconds, the only one that ngtcp2 sees.</summary>
    public static ulong MonotonicNanoseconds()
    {
        timespec time;
        _ = clock_gettime(CLOCK_MONOTONIC, &time);
        return ((ulong)time.tv_sec * 1_000_000_000UL) + (ulong)time.tv_nsec;
    }
}
