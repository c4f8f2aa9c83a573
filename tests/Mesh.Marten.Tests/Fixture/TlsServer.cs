using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EventMesh.Marten.Embedded.Internal;
using Xunit;

namespace EventMesh.Marten.Tests.Fixture;

/// <summary>A server as operators run one: over TCP with TLS alone, under a certificate of a private authority, with passwords.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class TlsServer : IAsyncLifetime
{
    public const string Password = "correct-horse";

    private readonly TempFolder _folder = new();
    private readonly ServerLog _log;
    private ServerProcess? _server;
    private int _port;

    public TlsServer() => _log = new ServerLog(Path.Combine(_folder.Path, "server.log"));

    /// <summary>The authority of the server's certificate, and another one.</summary>
    public string RootFile => Path.Combine(_folder.Path, "root.pem");

    public string OtherRootFile => Path.Combine(_folder.Path, "other.pem");

    /// <summary>The superuser, without a password, over verified TLS.</summary>
    public string ConnectionString =>
        $"Host=localhost;Port={_port};Username=admin;Database=postgres;SslMode=VerifyFull;Root Certificate={RootFile};Pooling=false;Timeout=10";

    public async ValueTask InitializeAsync()
    {
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        if (!Directory.Exists("/usr/lib/postgresql"))
            Prerequisites.Missing("The package postgresql is not installed.");
        PostgresBinaries binaries = await PostgresBinaries.FindAsync(null, _folder.Path, cancellation);
        UnixAccount? account = Environment.IsPrivilegedProcess ? UnixAccount.ForServer() : null;
        UnixFiles.SetMode(_folder.Path, (UnixFileMode)0b111_101_101);
        string data = Path.Combine(_folder.Path, "data");
        UnixFiles.MakePrivate(data, account);
        string passwordFile = Path.Combine(_folder.Path, "pwfile");
        await File.WriteAllTextAsync(passwordFile, Password + "\n", cancellation);
        WriteCertificates(account);
        using (Process initdb = Process.Start(new ProcessStartInfo(
            binaries.Initdb, ["-D", data, "-U", "admin", "--auth=scram-sha-256", "--pwfile", passwordFile, "-E", "UTF8", "--no-locale", "--no-instructions", "--no-sync"])
        {
            UserName = account?.Name ?? "",
            WorkingDirectory = "/",
            RedirectStandardOutput = true,
            UseShellExecute = false,
        })!)
        {
            await initdb.StandardOutput.ReadToEndAsync(cancellation);
            await initdb.WaitForExitAsync(cancellation);
        }
        await File.WriteAllTextAsync(Path.Combine(data, "pg_hba.conf"), "hostssl all all 127.0.0.1/32 scram-sha-256\nhostssl all all ::1/128 scram-sha-256\n", cancellation);
        _port = FreePort();
        string[] settings =
        [
            "listen_addresses=localhost", $"port={_port}", "unix_socket_directories=", "ssl=on", $"ssl_cert_file={Path.Combine(_folder.Path, "server.pem")}",
            $"ssl_key_file={Path.Combine(_folder.Path, "server.key")}", "fsync=off", "shared_buffers=16MB",
        ];
        string[] user = account is null ? [] : ["--reuid", $"{account.UserId}", "--regid", $"{account.GroupId}", "--init-groups"];
        _server = await ServerProcess.StartAsync(
            new ProcessStartInfo(
                "setpriv", [.. user, "--pdeathsig", "INT", "--", binaries.Postgres, "-D", data, .. settings.SelectMany(setting => new[] { "-c", setting })])
            {
                RedirectStandardError = true,
                UseShellExecute = false,
                WorkingDirectory = "/",
            },
            _log);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!_server.IsReady(data))
        {
            Assert.False(_server.Exited.IsCompleted, string.Join('\n', _log.LastLines()));
            await timer.WaitForNextTickAsync(cancellation);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.StopAsync();
            _server.Dispose();
        }
        _log.Dispose();
        _folder.Dispose();
    }

    private void WriteCertificates(UnixAccount? account)
    {
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        using X509Certificate2 root = MakeRoot("CN=database root", RootFile);
        using X509Certificate2 other = MakeRoot("CN=another root", OtherRootFile);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=database", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 certificate = request.Create(root, now.AddDays(-1), now.AddDays(30), [1, 2, 3, 4]);
        File.WriteAllText(Path.Combine(_folder.Path, "server.pem"), certificate.ExportCertificatePem());
        string keyFile = Path.Combine(_folder.Path, "server.key");
        File.WriteAllText(keyFile, key.ExportPkcs8PrivateKeyPem());
        UnixFiles.SetMode(keyFile, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        if (account is not null)
            UnixFiles.Chown(keyFile, account);

        X509Certificate2 MakeRoot(string name, string file)
        {
            using var rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var requested = new CertificateRequest(name, rootKey, HashAlgorithmName.SHA256);
            requested.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
            X509Certificate2 made = requested.CreateSelfSigned(now.AddDays(-2), now.AddDays(60));
            File.WriteAllText(file, made.ExportCertificatePem());
            return made;
        }
    }

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
