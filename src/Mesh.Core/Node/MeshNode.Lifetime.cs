using System.Net;
using EventMesh.Bootstrap;
using EventMesh.Bootstrap.Internal;
using EventMesh.Dispatch;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Sessions.Internal;
using EventMesh.Transport;
using EventMesh.Trust;
using EventMesh.Trust.Internal;

namespace EventMesh.Node;

/// <summary>The order in which the parts start; each leaves behind how it is stopped, and they stop in reverse.</summary>
public sealed partial class MeshNode
{
    private async Task StartCoreAsync(CancellationToken cancellationToken)
    {
        Transport = _transports.Select(_options.Transport.Provider);
        DataDirectory directory = DataDirectory.Open(_options.DataDirectory);
        _undo.Push(_ => Done(directory.Dispose));
        _identity = NodeIdentity.LoadOrCreate(directory.Path, _clock);
        // Longest of all: the rest goes on beside it.
        Task opened = OpenStoreAsync(_identity.Node, directory.Path, cancellationToken);
        _gate = CertificateGate.Create(_options.Trust, _clock, _logger);
        _gate.CheckOwn(_identity, _options.Trust.DnsName, _options.Kind);
        _trust.LocalPeer = _identity.Peer;
        _endpoint = await Transport.Transport.BindAsync(EndpointOptions(IPEndPoint.Parse(_options.Listen), listens: _options.Kind == PeerKind.Node), cancellationToken)
            .ConfigureAwait(false);
        _undo.Push(_ => _endpoint.DisposeAsync().AsTask());
        // Reverse checks dial from a socket that nobody has been told of.
        ITransportEndpoint probe = await Transport.Transport
            .BindAsync(EndpointOptions(new IPEndPoint(_endpoint.LocalEndPoint.Address, 0), listens: false), cancellationToken).ConfigureAwait(false);
        _undo.Push(_ => probe.DisposeAsync().AsTask());
        await OpenJournalAsync(opened, _identity, directory.Path, cancellationToken).ConfigureAwait(false);
        _undo.Push(token => _journal.StopAsync("stopped", token));
        var sealer = new Internal.LogSealer(_journal, _store, _identity, _options.Journal.SealInterval, _clock, _logger);
        _undo.Push(sealer.StopAsync);
        Run(sealer.RunAsync(_stopping.Token));
        _journal.Decide(state => TrustGate.OnIdentity(state, _identity));
        _journal.Decide(state => BootstrapCacheDecisions.TrimToCapacity(state, _options.Cache.MaxPerPrefix));
        foreach (IMeshExtension extension in _extensions)
        {
            _undo.Push(extension.StopAsync);
            await extension.StartAsync(this, _journal, cancellationToken).ConfigureAwait(false);
        }
        StartSessions(probe);
        Run(WatchJournalAsync(_stopping.Token));
        Run(_gate.WatchExpiryAsync(_identity, _stopping.Token));
    }

    /// <summary>Begins to open the store, and to read what the journal has beside it; the store's outcome.</summary>
    private Task OpenStoreAsync(NodeId node, string directory, CancellationToken cancellationToken)
    {
        var abandoned = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task opening = Task.Run(() => _store.OpenAsync(node, directory, abandoned.Token), CancellationToken.None);
        _undo.Push(async _ =>
        {
            // A start that failed meanwhile does not wait for the store to be ready.
            await abandoned.CancelAsync().ConfigureAwait(false);
            await opening.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            abandoned.Dispose();
            await _store.DisposeAsync().ConfigureAwait(false);
        });
        Task preparing = Task.Run(() => _journal.Prepare(node, directory), CancellationToken.None);
        _undo.Push(async _ =>
        {
            await preparing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await _journal.DisposeAsync().ConfigureAwait(false);
        });
        return OpenedAsync();

        async Task OpenedAsync()
        {
            await preparing.ConfigureAwait(false);
            await opening.ConfigureAwait(false);
        }
    }

    private async Task OpenJournalAsync(Task opened, NodeIdentity identity, string directory, CancellationToken cancellationToken)
    {
        NodeStarted MakeStart(Projections.MeshState state) =>
            new(identity.Node, identity.Peer, Instance, _options.Kind, MeshAgent.Name, Transport!.Transport.Name);
        try
        {
            await opened.ConfigureAwait(false);
        }
        catch (MeshException away) when (away.Error == MeshError.StoreUnavailable && _store.IsExternal)
        {
            // The network must not wait for a database that has its own life, unless this node has never seen it.
            if (_journal.TryOpenWithoutStore(
                identity.Node, directory, MakeStart, away, token => _store.OpenAsync(identity.Node, directory, token))) return;
            throw;
        }
        await _journal.OpenAsync(identity.Node, directory, MakeStart, cancellationToken).ConfigureAwait(false);
    }

    private void StartSessions(ITransportEndpoint probe)
    {
        var contacts = new ContactBook(_options, _logger);
        _departures = new Departures(_clock);
        _cache = new CacheKeeper(this, contacts, _departures);
        _table = new SessionTable(this);
        _trust.ContactsAt = contacts.ContactsAt;
        _trust.Enforce = _table.CloseRefused;
        // A backstop: whatever a peer does, the journal is written out in time.
        _undo.Push(token => _table.StopAsync().WaitAsync(TimeSpan.FromSeconds(10), _clock, token));
        _dialer = new Dialer(this, _table, _endpoint!, probe);
        _exchange = new PeerExchange(this, _table, _dialer, _cache, _departures, _stopping.Token);
        _trimmer = new Trimmer(this, _table);
        _lost = new LostPeers(this, _table, _dialer, _stopping.Token);
        bool dialsFromListeningSocket = Transport!.Transport.Capabilities.HasFlag(TransportCapabilities.DialFromListeningPort);
        _observed = new ObservedAddress(this, _table, _dialer, dialsFromListeningSocket, _stopping.Token);
        _bootstrapper = new Bootstrapper(this, _table, _dialer, contacts, _exchange);
        var refusals = new RefusalSummary(this);
        Run(refusals.RunAsync(_stopping.Token));
        if (_options.Kind == PeerKind.Node) Run(new Acceptor(this, _table, _endpoint!, refusals).RunAsync(_stopping.Token));
        Run(_bootstrapper.RunAsync(_stopping.Token));
        Run(new Feelers(this, _table, _dialer).RunAsync(_stopping.Token));
        Run(_trimmer.RunAsync(_stopping.Token));
        Run(new LinkWatch(this, _table).RunAsync(_stopping.Token));
        Run(new CertificateReview(this, _table).RunAsync(_stopping.Token));
    }

    /// <summary>Keeps a loop, which ends by itself when the node stops, until it has.</summary>
    private void Run(Task loop) => _undo.Push(async _ =>
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await loop.ConfigureAwait(false);
    });

    private async Task UndoAsync()
    {
        while (_undo.TryPop(out Func<CancellationToken, Task>? stop))
        {
            try
            {
                await stop(CancellationToken.None).ConfigureAwait(false);
            }
            catch (Exception e)
            {
                Internal.Log.StopFailed(_logger, e);
            }
        }
        State = MeshNodeState.Stopped;
    }

    private static Task Done(Action action)
    {
        action();
        return Task.CompletedTask;
    }

    private async Task WatchJournalAsync(CancellationToken cancellationToken)
    {
        try
        {
            Failure = await _journal.Failed.WaitAsync(cancellationToken).ConfigureAwait(false);
            Internal.Log.JournalFailed(_logger, Failure.Message);
            _lifetime?.StopApplication();
        }
        catch (OperationCanceledException)
        {
            // The node stops.
        }
    }

    private TransportEndpointOptions EndpointOptions(IPEndPoint bind, bool listens) => new()
    {
        LocalEndPoint = bind,
        Certificate = _identity!.Certificate,
        Intermediates = _identity.Intermediates,
        VerifyPeer = _gate!.VerifyPeer,
        AdmitSource = source => _trust.Admits(source) && _abuse.Admits(source),
        Listen = listens,
        IdleTimeout = _options.Transport.IdleTimeout,
        KeepAliveInterval = _options.Transport.KeepAliveInterval,
        HandshakeTimeout = _options.Transport.HandshakeTimeout,
        Retry = _options.Transport.Retry,
        // Typed: an untyped null would become an empty key.
        StatelessResetKey = listens ? _identity.StatelessResetKey : (ReadOnlyMemory<byte>?)null,
    };
}
