using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Node;
using EventMesh.Transport;
using EventMesh.Wire;
using Microsoft.Extensions.Logging;

namespace EventMesh.Trust.Internal;

/// <summary>
/// Judges the certificates of a node's peers. Within the handshake only their size: the chain is built after it, a few at a time and before any stream
/// of the connection is read, so that strangers hold up neither the transport's thread nor each other.
/// </summary>
/// <remarks>All members may be called concurrently.</remarks>
internal sealed class CertificateGate
{
    private const int MaxRunning = 2;
    private const int MaxWaiting = 256;
    private static readonly TimeSpan QuietFor = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan WarnBefore = TimeSpan.FromDays(30);

    private readonly TrustPolicy _policy;
    private readonly RevocationLists _lists;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly SemaphoreSlim _slots = new(MaxRunning, MaxRunning);
    // One a kind of reason, so that nobody fills the log.
    private readonly long[] _lastSaid = new long[Enum.GetValues<CertificateProblem>().Length];
    private int _waiting;

    public CertificateGate(TrustPolicy policy, RevocationLists lists, TimeProvider clock, ILogger logger)
    {
        _policy = policy;
        _lists = lists;
        _clock = clock;
        _logger = logger;
    }

    public TrustMode Mode => _policy.Mode;

    /// <summary>Whether a certificate can be refused at all.</summary>
    public bool Judges => _policy.Validates;

    /// <summary>Makes the gate that the options describe; reads their files.</summary>
    /// <exception cref="MeshException"><see cref="MeshError.InvalidConfiguration"/>: a file can't be read.</exception>
    public static CertificateGate Create(TrustOptions options, TimeProvider clock, ILogger logger)
    {
        X509Certificate2Collection? roots = options.Mode == TrustMode.Encrypted || options.Roots.Count == 0 ? null : ReadRoots(options.Roots);
        var lists = new RevocationLists(options.RevocationLists, roots, clock, logger);
        lists.Load();
        return new CertificateGate(new TrustPolicy(options.Mode, roots, [.. options.AllowedNames]), lists, clock, logger);
    }

    /// <summary>The quick verdict within the handshake: TLS has proven that the peer holds the key.</summary>
    public bool VerifyPeer(PeerCertificate certificate) =>
        _policy.Validates ? CertificateJudge.IsWellSized(certificate.Chain) : certificate.Chain.Count > 0;

    /// <summary>The verdict on a connection's certificates, before its streams are read; null when they are accepted.</summary>
    /// <exception cref="MeshException"><see cref="MeshError.TooManyConnections"/>: too many wait for theirs.</exception>
    public async ValueTask<CertificateRefusal?> JudgeAsync(ITransportConnection connection)
    {
        if (!Judges) return null;
        try
        {
            if (Interlocked.Increment(ref _waiting) > MaxWaiting)
                throw new MeshException(MeshError.TooManyConnections, $"{MaxWaiting} connections wait for the verdict on their certificates.");
            await _slots.WaitAsync().ConfigureAwait(false);
            try
            {
                // Off the caller's loop, also when a slot was free.
                await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
                return Judge(connection);
            }
            finally
            {
                _slots.Release();
            }
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    /// <summary>The verdict on the DNS name of a peer's Hello; null when it is accepted.</summary>
    public CertificateRefusal? JudgeName(ITransportConnection connection, string name) =>
        CertificateJudge.JudgeName(connection.PeerCertificate, name, _policy);

    /// <summary>Whether a peer of this name would be worth a dial; a name that is not known is.</summary>
    public bool MayHaveName(string name) => name.Length == 0 || !_policy.WantsName || DnsNames.IsAllowed(name, _policy.AllowedNames);

    /// <summary>Whether the peer of this certificate would be worth a dial.</summary>
    public bool MayHaveName(byte[] certificate) => CertificateJudge.MayBearAllowedName(certificate, _policy);

    /// <summary>Tells the operator of a refusal.</summary>
    public void Report(ITransportConnection connection, CertificateRefusal refusal)
    {
        string peer = connection.PeerId.ToShortString(), remote = EndpointCodec.Normalize(connection.RemoteEndPoint).ToString();
        ref long last = ref _lastSaid[(int)refusal.Problem];
        long now = _clock.GetTimestamp(), said = Volatile.Read(ref last);
        bool isFirst = (said == 0 || _clock.GetElapsedTime(said, now) >= QuietFor) && Interlocked.CompareExchange(ref last, now == 0 ? 1 : now, said) == said;
        if (isFirst) Log.CertificateRefused(_logger, peer, remote, refusal.Reason);
        else Log.CertificateRefusedAgain(_logger, peer, remote, refusal.Reason);
    }

    /// <summary>Tells the operator of a refusal over changes of a key.</summary>
    public void ReportSuccession(ITransportConnection connection, WireCode code, string reason) => Report(
        connection,
        new CertificateRefusal(code == WireCode.SuccessionConflict ? CertificateProblem.DisputedSuccession : CertificateProblem.FalseSuccession, reason));

    /// <summary>Checks at start that peers of the same configuration would accept our own certificate.</summary>
    /// <exception cref="MeshException"><see cref="MeshError.InvalidConfiguration"/>: they would not.</exception>
    public void CheckOwn(NodeIdentity identity, string? name, PeerKind kind)
    {
        if (!_policy.Validates) return;
        ReadOnlyMemory<byte> own = identity.Certificate.RawDataMemory;
        // A certificate for clients alone is enough for who only dials.
        CertificateRefusal? refusal =
            CertificateJudge.Judge(
                [own, .. identity.Intermediates.Select(one => one.RawDataMemory)], isServer: kind == PeerKind.Node, _policy, _lists.Current(), _clock.GetUtcNow())
            ?? CertificateJudge.JudgeName(own, name ?? "", _policy);
        if (refusal is null) return;
        throw new MeshException(
            MeshError.InvalidConfiguration,
            $"In trust mode {Mode} peers would refuse this node's own certificate '{identity.Certificate.Subject}': {refusal.Reason}. "
            + "Get one from the authority and install it with `mesh identity import`.");
    }

    /// <summary>Warns at start and then twice a day of certificates that expire within 30 days, until cancelled; never fails.</summary>
    public async Task WatchExpiryAsync(NodeIdentity identity, CancellationToken cancellationToken)
    {
        if (!_policy.Validates) return;
        using var timer = new PeriodicTimer(TimeSpan.FromHours(12), _clock);
        try
        {
            do
            {
                DateTimeOffset limit = _clock.GetUtcNow() + WarnBefore;
                DateTimeOffset own = new(identity.Certificate.NotAfter);
                if (own < limit) Log.OwnCertificateExpires(_logger, own);
                foreach (X509Certificate2 root in (_policy.Roots ?? []).Where(root => new DateTimeOffset(root.NotAfter) < limit))
                    Log.RootExpires(_logger, root.Subject, new DateTimeOffset(root.NotAfter));
            }
            while (await timer.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false));
        }
        catch (OperationCanceledException)
        {
            // The node stops.
        }
    }

    private CertificateRefusal? Judge(ITransportConnection connection) =>
        CertificateJudge.Judge(connection.PeerCertificateChain, isServer: connection.IsDialer, _policy, _lists.Current(), _clock.GetUtcNow());

    private static X509Certificate2Collection ReadRoots(IEnumerable<string> files)
    {
        X509Certificate2Collection roots = [];
        foreach (string file in files)
        {
            int before = roots.Count;
            try
            {
                roots.ImportFromPemFile(file);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
            {
                throw new MeshException(MeshError.InvalidConfiguration, $"The roots in '{file}' (EventMesh:Trust:Roots) can't be read: {e.Message}", e);
            }
            if (roots.Count == before)
                throw new MeshException(MeshError.InvalidConfiguration, $"The file '{file}' (EventMesh:Trust:Roots) holds no certificate in PEM.");
        }
        return roots;
    }
}
