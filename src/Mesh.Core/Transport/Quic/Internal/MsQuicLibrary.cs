using System.Net.Quic;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace EventMesh.Transport.Quic.Internal;

/// <summary>
/// The two things of libmsquic that System.Net.Quic does not show: the version, and the process-wide setting of Retry. The library
/// is loaded as the runtime does it, and its functions are called through delegates, so that no unsafe code is needed.
/// </summary>
[SupportedOSPlatform("linux")]
[SupportedOSPlatform("macos")]
[SupportedOSPlatform("windows")]
internal static class MsQuicLibrary
{
    private const uint ApiVersion = 2;
    private const uint RetryMemoryPercent = 0x01000000;
    private const uint LibraryVersion = 0x01000004;

    // msquic.h: a Retry is asked for once handshakes take more than this share, in 1/65,535, of the memory; 65 is the library's own.
    private const ushort RetryAlways = 0;
    private const ushort RetryByLibrary = 65;

    // Places in QUIC_API_TABLE.
    private const int SetParamIndex = 3;
    private const int GetParamIndex = 4;

    private static readonly Lock Mutex = new();
    private static int _retryUsers;

    // Kept open, since the library forgets its settings with its last table.
    private static nint _table;

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    private delegate int MsQuicOpenVersion(uint version, out nint table);

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    private delegate int MsQuicSetParam(nint handle, uint param, uint length, nint buffer);

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    private delegate int MsQuicGetParam(nint handle, uint param, ref uint length, nint buffer);

    /// <summary>The first version without microsoft/msquic#6138.</summary>
    public static Version MinimumVersion { get; } = new(2, 5, 10);

    /// <summary>How to get the library on this operating system.</summary>
    public static string Remedy
    {
        get
        {
            if (OperatingSystem.IsWindows())
                return "Install the latest .NET 10 runtime, which brings msquic.dll, on Windows 11 or Windows Server 2022.";
            if (OperatingSystem.IsMacOS())
                return "Install it with 'brew install libmsquic' and start with DYLD_FALLBACK_LIBRARY_PATH=$(brew --prefix)/lib.";
            return "On Debian or Ubuntu add Microsoft's package archive (https://learn.microsoft.com/linux/packages) and 'apt-get install libmsquic'; "
                + "or use ngtcp2: 'apt-get install libngtcp2-16 libngtcp2-crypto-gnutls8'.";
        }
    }

    /// <summary>The version of the library; null where it can't be loaded.</summary>
    public static Version? ReadVersion()
    {
        nint table = Open();
        if (table == 0)
            return null;
        var getParam = Marshal.GetDelegateForFunctionPointer<MsQuicGetParam>(Marshal.ReadIntPtr(table, GetParamIndex * nint.Size));
        uint length = 4 * sizeof(uint);
        nint buffer = Marshal.AllocHGlobal((int)length);
        try
        {
            if (HasFailed(getParam(0, LibraryVersion, ref length, buffer)))
                return null;
            return new Version(Marshal.ReadInt32(buffer), Marshal.ReadInt32(buffer, sizeof(uint)), Marshal.ReadInt32(buffer, 2 * sizeof(uint)));
        }
        finally
        {
            Marshal.FreeHGlobal(buffer);
        }
    }

    /// <summary>Asks all dialers of this process to prove their address until each caller has called <see cref="LeaveRetry"/>.</summary>
    public static void RequireRetry()
    {
        lock (Mutex)
        {
            if (_retryUsers++ == 0)
                SetRetry(RetryAlways);
        }
    }

    /// <summary>Ends one <see cref="RequireRetry"/>.</summary>
    public static void LeaveRetry()
    {
        lock (Mutex)
        {
            if (--_retryUsers == 0)
                SetRetry(RetryByLibrary);
        }
    }

    private static void SetRetry(ushort value)
    {
        nint table = Open();
        if (table == 0)
            throw new MeshException(MeshError.TransportUnavailable, "libmsquic can't be loaded.");
        var setParam = Marshal.GetDelegateForFunctionPointer<MsQuicSetParam>(Marshal.ReadIntPtr(table, SetParamIndex * nint.Size));
        nint buffer = Marshal.AllocHGlobal(sizeof(ushort));
        try
        {
            Marshal.WriteInt16(buffer, (short)value);
            int status = setParam(0, RetryMemoryPercent, sizeof(ushort), buffer);
            if (HasFailed(status))
                throw new MeshException(MeshError.TransportUnavailable, $"libmsquic refused the setting of Retry (status 0x{status:x}).");
        }
        finally
        {
            Marshal.FreeHGlobal(buffer);
        }
    }

    private static nint Open()
    {
        lock (Mutex)
        {
            if (_table == 0 && TryLoad(out nint library) && NativeLibrary.TryGetExport(library, nameof(MsQuicOpenVersion), out nint export))
            {
                var open = Marshal.GetDelegateForFunctionPointer<MsQuicOpenVersion>(export);
                if (!HasFailed(open(ApiVersion, out nint table)))
                    _table = table;
            }
            return _table;
        }
    }

    // The same names in the same order as the runtime's, so that both get the same library.
    private static bool TryLoad(out nint library)
    {
        System.Reflection.Assembly assembly = typeof(QuicConnection).Assembly;
        if (OperatingSystem.IsWindows())
        {
            string? folder = Path.GetDirectoryName(assembly.Location);
            return NativeLibrary.TryLoad(Path.Combine(string.IsNullOrEmpty(folder) ? AppContext.BaseDirectory : folder, "msquic.dll"), out library);
        }
        string name = OperatingSystem.IsMacOS() ? "libmsquic.dylib" : "libmsquic.so";
        return NativeLibrary.TryLoad($"{name}.{ApiVersion}", assembly, null, out library) || NativeLibrary.TryLoad(name, assembly, null, out library);
    }

    // QUIC_STATUS is an HRESULT on Windows; elsewhere positive numbers are errors and negative ones are news.
    private static bool HasFailed(int status) => OperatingSystem.IsWindows() ? status < 0 : status > 0;
}
