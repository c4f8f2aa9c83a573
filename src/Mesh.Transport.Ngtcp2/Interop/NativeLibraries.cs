using System.Runtime.InteropServices;

namespace EventMesh.Transport.Ngtcp2.Interop;

/// <summary>Whether the native libraries are here and new enough; looking never throws.</summary>
internal static unsafe class NativeLibraries
{
    private const int MinimumVersion = 0x010b00;
    private const string MinimumVersionText = "1.11";
    private const string Remedy =
        "Install the Debian packages libngtcp2-16 and libngtcp2-crypto-gnutls8, version 1.11 or later (in Debian 12 from bookworm-backports).";

    private static readonly Lazy<TransportSupport> Probed = new(Probe);

    /// <summary>The verdict, made once.</summary>
    public static TransportSupport Support => Probed.Value;

    private static TransportSupport Probe()
    {
        try
        {
            if (!OperatingSystem.IsLinux())
                return new TransportSupport(false, "The ngtcp2 transport is for Linux only.", "Use the transport msquic on this system.");
            if (!Environment.Is64BitProcess)
                return new TransportSupport(false, "The ngtcp2 transport needs a 64-bit process.", "Run the 64-bit build.");
            foreach (string library in (ReadOnlySpan<string>)[Native.GnuTlsLibrary, Native.Ngtcp2Library, Native.CryptoLibrary])
            {
                if (!NativeLibrary.TryLoad(library, typeof(NativeLibraries).Assembly, DllImportSearchPath.SafeDirectories, out _))
                    return new TransportSupport(false, $"The library {library} is missing.", Remedy);
            }
            ngtcp2_info* info = Native.ngtcp2_version(0);
            string version = Marshal.PtrToStringUTF8((nint)info->version_str) ?? "unknown";
            if (info->version_num < MinimumVersion)
                return new TransportSupport(false, $"libngtcp2 is version {version}; {MinimumVersionText} is the oldest that works.", Remedy);
            string gnuTls = Marshal.PtrToStringUTF8((nint)Native.gnutls_check_version(null)) ?? "unknown";
            return new TransportSupport(true, $"libngtcp2 {version} with GnuTLS {gnuTls}", null);
        }
        catch (Exception e)
        {
            return new TransportSupport(false, $"libngtcp2 can't be used: {e.Message}", Remedy);
        }
    }
}
