using System.Net.Quic;
using System.Net.Sockets;
using System.Runtime.Versioning;
using EventMesh.Transport.Quic.Internal;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace EventMesh.Transport.Quic;

/// <summary>Makes the transport over System.Net.Quic: Windows, macOS, and Linux with libmsquic.</summary>
/// <param name="loggerFactory">Where to log; null for nowhere.</param>
public sealed class QuicTransportProvider(ILoggerFactory? loggerFactory = null) : ITransportProvider
{
    private readonly ILogger _logger = (loggerFactory ?? NullLoggerFactory.Instance).CreateLogger("EventMesh.Transport.Quic");

    /// <inheritdoc/>
    public string Name => "msquic";

    /// <inheritdoc/>
    public int Order => 1;

    /// <inheritdoc/>
    public TransportSupport Probe()
    {
        if (!OperatingSystem.IsLinux() && !OperatingSystem.IsMacOS() && !OperatingSystem.IsWindows())
            return new TransportSupport(false, "System.Net.Quic does not exist on this operating system.", "Run on Linux, macOS or Windows.");
        try
        {
            return ProbeLibrary();
        }
        catch (Exception exception)
        {
            return new TransportSupport(false, $"libmsquic can't be examined: {exception.Message}", MsQuicLibrary.Remedy);
        }
    }

    /// <inheritdoc/>
    public ITransport Create()
    {
        TransportSupport support = Probe();
        if (support.IsSupported && (OperatingSystem.IsLinux() || OperatingSystem.IsMacOS() || OperatingSystem.IsWindows()))
            return new QuicTransport(_logger);
        throw new MeshException(MeshError.TransportUnavailable, $"{support.Detail} {support.Remedy}".TrimEnd());
    }

    [SupportedOSPlatform("linux")]
    [SupportedOSPlatform("macos")]
    [SupportedOSPlatform("windows")]
    private static TransportSupport ProbeLibrary()
    {
        if (!Socket.OSSupportsIPv6)
        {
            return new TransportSupport(false, "libmsquic needs sockets for IPv4 and IPv6 at once, and this machine has no IPv6.",
                "Enable IPv6 in the kernel; addresses are not needed.");
        }
        Version? version = MsQuicLibrary.ReadVersion();
        if (version is null)
            return new TransportSupport(false, $"libmsquic {MsQuicLibrary.MinimumVersion} or later is missing.", MsQuicLibrary.Remedy);
        if (version < MsQuicLibrary.MinimumVersion)
        {
            return new TransportSupport(false,
                $"libmsquic {version} is too old: a client can crash it while its certificate is verified (microsoft/msquic#6138); "
                + $"{MsQuicLibrary.MinimumVersion} or later is needed.", MsQuicLibrary.Remedy);
        }
        // Last, since only it knows what else the runtime asks for, such as TLS 1.3 in the registry of Windows.
        if (!QuicConnection.IsSupported)
            return new TransportSupport(false, $"System.Net.Quic does not work with libmsquic {version} on this system.", MsQuicLibrary.Remedy);
        return new TransportSupport(true, $"libmsquic {version}", null);
    }
}
