using System.Net;
using EventMesh.Bootstrap.Internal;
using EventMesh.Dispatch;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal;
using EventMesh.Limits.Internal;
using EventMesh.Messaging;
using EventMesh.Sessions.Internal;
using EventMesh.Transport;
using EventMesh.Trust;
using EventMesh.Trust.Internal;
using EventMesh.Wire;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace EventMesh.Node;

/// <summary>
/// A node of the mesh: puts the parts together and carries them through their life. Registered by <c>AddEventMesh</c>, started and stopped by
/// the application's host.
/// </summary>
public sealed partial class MeshNode : IMesh, IHostedService, IAsyncDisposable
{
    private readonly MeshOptions _options;
    private readonly TransportSelector _transports;
    private readonly IEventStore _store;
    private readonly EventJournal _journal;
    private readonly IMessageDispatcher _dispatcher;
    private readonly IMeshExtension[] _extensions;
    private readonly TimeProvider _clock;
    private readonly ILogger<MeshNode> _logger;
    private readonly IHostApplicationLifetime? _lifetime;
    private readonly Stack<Func<CancellationToken, Task>> _undo = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _mutex = new();
    private readonly TrustLedger _trust;
    private readonly AbuseGuard _abuse;
    private Task? _stopTask;
    private long _sequence;

    private NodeIdentity? _identity;
    private Trust.Internal.CertificateGate? _gate;
    private ITransportEndpoint? _endpoint;
    private SessionTable? _table;
    private Dialer? _dialer;
    private PeerExchange? _exchange;
    private Bootstrapper? _bootstrapper;
    private CacheKeeper? _cache;
    private Departures? _departures;
    private LostPeers? _lost;
    private Trimmer? _trimmer;
    private ObservedAddress? _observed;

    /// <summary>Makes a node; <see cref="StartAsync"/> starts it.</summary>
    /// <param name="options">The settings, checked.</param>
    /// <param name="transports">The choice of the QUIC provider.</param>
    /// <param name="store">The log's store, not opened; the node opens and disposes it.</param>
    /// <param name="journal">The journal over that store, not opened.</param>
    /// <param name="dispatcher">Where messages go.</param>
    /// <param name="extensions">Parts that live as long as the node runs.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="logger">The node's log.</param>
    /// <param name="lifetime">The application, which is stopped when the node can't go on; null when it stands alone.</param>
    public MeshNode(
        IOptions<MeshOptions> options, TransportSelector transports, IEventStore store, EventJournal journal, IMessageDispatcher dispatcher,
        IEnumerable<IMeshExtension> extensions, TimeProvider clock, ILogger<MeshNode> logger, IHostApplicationLifetime? lifetime = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options.Value;
        _transports = transports;
        _store = store;
        _journal = journal;
        _dispatcher = dispatcher;
        _extensions = [.. extensions];
        _clock = clock;
        _logger = logger;
        _lifetime = lifetime;
        _trust = new TrustLedger(journal, dispatcher, clock, logger) { PinsFirstUse = _options.Trust.PinContacts ?? _options.Trust.Mode == TrustMode.Encrypted };
        _abuse = new AbuseGuard(_options.Limits, _trust, clock, logger);
    }

    /// <summary>Where the node is in its life.</summary>
    public MeshNodeState State { get; private set; }

    /// <summary>Why the node could not go on; null while it could.</summary>
    public MeshException? Failure { get; private set; }

    /// <summary>The random identity of this process start.</summary>
    public Guid Instance { get; } = Guid.NewGuid();

    /// <summary>The log's tenant.</summary>
    /// <exception cref="InvalidOperationException">The node has not started.</exception>
    public NodeId NodeId => Started(_identity).Node;

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">The node has not started.</exception>
    public PeerId LocalPeer => Started(_identity).Peer;

    /// <summary>The bound UDP address.</summary>
    /// <exception cref="InvalidOperationException">The node has not started.</exception>
    public IPEndPoint LocalEndPoint => Started(_endpoint).LocalEndPoint;

    /// <summary>The trust ledger: who may be a peer. Commands need a started node.</summary>
    public ITrust Trust => _trust;

    /// <summary>The QUIC provider in use and why; null before the start.</summary>
    public TransportSelection? Transport { get; private set; }

    /// <inheritdoc/>
    public IReadOnlyList<PeerInfo> Peers => _table is null ? [] : [.. _table.Sessions().Select(session => session.Info).OfType<PeerInfo>()];

    /// <inheritdoc/>
    public IPEndPoint? ObservedEndPoint => _journal.State.Node.ObservedEndPoint;

    /// <summary>Starts the node; it accepts and dials peers when the task completes.</summary>
    /// <remarks>The task fails with <see cref="MeshException"/>, and nothing is left running then.</remarks>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        try
        {
            await StartCoreAsync(cancellationToken).ConfigureAwait(false);
            State = MeshNodeState.Running;
            Internal.Log.Started(_logger, LocalPeer.ToShortString(), LocalEndPoint.ToString(), Transport!.Reason, _store.Name);
        }
        catch (Exception e)
        {
            Failure = e as MeshException;
            await UndoAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Tells the peers, closes all connections, writes out the journal and stops the store. A second call waits for the first.</summary>
    public Task StopAsync(CancellationToken cancellationToken)
    {
        lock (_mutex)
        {
            if (_stopTask is null && State is not MeshNodeState.Running) return Task.CompletedTask;
            return _stopTask ??= StopCoreAsync();
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await StopAsync(CancellationToken.None).ConfigureAwait(false);
        _stopping.Dispose();
    }

    /// <inheritdoc/>
    public Task<PeerInfo> ConnectAsync(IPEndPoint endpoint, PeerId? expected = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        return Started(_dialer).DialAsync(EndpointCodec.Normalize(endpoint), expected, DiscoverySource.Request, cancellationToken);
    }

    /// <inheritdoc/>
    public Task DisconnectAsync(PeerId peer, CancellationToken cancellationToken = default) =>
        _table is not null && _table.TryGet(peer, out PeerSession? session)
            ? session.LeaveAsync(CloseReason.Local, WireCode.Disconnected).WaitAsync(cancellationToken)
            : Task.CompletedTask;

    private async Task StopCoreAsync()
    {
        State = MeshNodeState.Stopping;
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        await UndoAsync().ConfigureAwait(false);
        Internal.Log.Stopped(_logger);
    }

    private static T Started<T>(T? part)
        where T : class => part ?? throw new InvalidOperationException("The node has not started.");
}
