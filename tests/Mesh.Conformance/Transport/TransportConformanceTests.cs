using System.Net;
using System.Runtime.CompilerServices;
using System.Security.Cryptography.X509Certificates;
using EventMesh.Tests;
using EventMesh.Transport;
using Shouldly;
using Xunit;

namespace EventMesh.Conformance;

/// <summary>
/// What the suites of <see cref="ITransport"/> share. A provider passes by deriving one class from each suite that says how the
/// transport is made; where it can't work, <see cref="CreateTransport"/> calls <see cref="Assert.Skip"/> with the reason.
/// </summary>
/// <remarks>
/// A test starts operations as tasks and waits for each with <c>Within</c>, which bounds the wait and, on a virtual clock, lets
/// time pass. Only the test itself calls it, never an operation that it has started.
/// </remarks>
public abstract class TransportConformanceTests : IAsyncLifetime
{
    private readonly List<IAsyncDisposable> _owned = [];
    private ITransport? _transport;

    /// <summary>How long anything may take before it counts as hanging.</summary>
    protected static TimeSpan Limit { get; } = TimeSpan.FromSeconds(20);

    protected static X509Certificate2 ServerCertificate { get; } = TestCertificates.Create("server");

    protected static X509Certificate2 ClientCertificate { get; } = TestCertificates.Create("client");

    /// <summary>Where endpoints bind.</summary>
    protected virtual IPAddress Address => IPAddress.Loopback;

    /// <summary>An address that this machine does not have; by default one of TEST-NET-1 (RFC 5737).</summary>
    protected virtual IPAddress UnavailableAddress => IPAddress.Parse("192.0.2.1");

    protected ITransport Transport => _transport ??= CreateTransport();

    protected bool Can(TransportCapabilities capability) => Transport.Capabilities.HasFlag(capability);

    /// <summary>Makes the transport; called once per test.</summary>
    protected abstract ITransport CreateTransport();

    /// <summary>Waits for the end of a task, in whatever way it ends; throws <see cref="TimeoutException"/> after the limit.</summary>
    protected virtual async Task UntilEndedAsync(Task task, TimeSpan limit)
    {
        using var stop = new CancellationTokenSource();
        if (await Task.WhenAny(task, Task.Delay(limit, stop.Token)) != task)
            throw new TimeoutException();
        await stop.CancelAsync();
    }

    public ValueTask InitializeAsync()
    {
        _ = Transport;
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        _owned.Reverse();
        foreach (IAsyncDisposable owned in _owned)
            await Within(owned.DisposeAsync());
        GC.SuppressFinalize(this);
    }

    protected async Task Within(Task task, [CallerArgumentExpression(nameof(task))] string what = "")
    {
        try
        {
            await UntilEndedAsync(task, Limit);
        }
        catch (TimeoutException exception)
        {
            throw new TimeoutException($"Not ended within {Limit.TotalSeconds:0} s: {what}", exception);
        }
        await task;
    }

    protected async Task<T> Within<T>(Task<T> task, [CallerArgumentExpression(nameof(task))] string what = "")
    {
        await Within((Task)task, what);
        return await task;
    }

    protected Task Within(ValueTask task, [CallerArgumentExpression(nameof(task))] string what = "") => Within(task.AsTask(), what);

    protected Task<T> Within<T>(ValueTask<T> task, [CallerArgumentExpression(nameof(task))] string what = "") => Within(task.AsTask(), what);

    /// <summary>Expects a failure that the contract names.</summary>
    protected async Task<MeshException> Fails(MeshError error, Task task, [CallerArgumentExpression(nameof(task))] string what = "")
    {
        MeshException exception = await Should.ThrowAsync<MeshException>(() => Within(task, what), $"{what} should fail with {error}.");
        exception.Error.ShouldBe(error, $"{what}: {exception.Message}");
        return exception;
    }

    protected Task<MeshException> Fails(MeshError error, ValueTask task, [CallerArgumentExpression(nameof(task))] string what = "") =>
        Fails(error, task.AsTask(), what);

    protected Task<MeshException> Fails<T>(MeshError error, ValueTask<T> task, [CallerArgumentExpression(nameof(task))] string what = "") =>
        Fails(error, task.AsTask(), what);

    /// <summary>Expects the end of a task by cancellation.</summary>
    protected Task IsCancelled(Task task, [CallerArgumentExpression(nameof(task))] string what = "") =>
        Should.ThrowAsync<OperationCanceledException>(() => Within(task, what), what);

    protected T Own<T>(T owned)
        where T : IAsyncDisposable
    {
        _owned.Add(owned);
        return owned;
    }

    protected TransportEndpointOptions Options(X509Certificate2 certificate) => new()
    {
        LocalEndPoint = new IPEndPoint(Address, 0),
        Certificate = certificate,
        VerifyPeer = static _ => true,
        HandshakeTimeout = TimeSpan.FromSeconds(10),
        IdleTimeout = TimeSpan.FromSeconds(30),
        KeepAliveInterval = TimeSpan.Zero,
    };

    protected async Task<ITransportEndpoint> ServerAsync(Func<TransportEndpointOptions, TransportEndpointOptions>? change = null)
    {
        TransportEndpointOptions options = Options(ServerCertificate);
        return Own(await Within(Transport.BindAsync(change?.Invoke(options) ?? options, CancellationToken.None)));
    }

    protected async Task<ITransportEndpoint> ClientAsync(Func<TransportEndpointOptions, TransportEndpointOptions>? change = null)
    {
        TransportEndpointOptions options = Options(ClientCertificate) with { Listen = false };
        return Own(await Within(Transport.BindAsync(change?.Invoke(options) ?? options, CancellationToken.None)));
    }

    /// <summary>A connection of two new endpoints.</summary>
    protected async Task<ConnectionPair> ConnectAsync(
        Func<TransportEndpointOptions, TransportEndpointOptions>? server = null,
        Func<TransportEndpointOptions, TransportEndpointOptions>? client = null) =>
        await ConnectAsync(await ServerAsync(server), await ClientAsync(client));

    /// <summary>A connection of two endpoints.</summary>
    protected async Task<ConnectionPair> ConnectAsync(ITransportEndpoint server, ITransportEndpoint client)
    {
        Task<ITransportConnection> accept = server.AcceptAsync(CancellationToken.None);
        ITransportConnection dialed = Own(await Within(client.ConnectAsync(server.LocalEndPoint, CancellationToken.None)));
        return new ConnectionPair(dialed, Own(await Within(accept)));
    }

    /// <summary>A stream that both ends know: one byte has gone over it.</summary>
    protected async Task<StreamPair> OpenAsync(ITransportConnection from, ITransportConnection to, StreamDirection direction)
    {
        ITransportStream local = Own(await Within(from.OpenStreamAsync(direction, CancellationToken.None)));
        await Within(local.WriteAsync(new byte[] { 1 }, endStream: false, CancellationToken.None));
        ITransportStream remote = Own(await Within(to.AcceptStreamAsync(CancellationToken.None)));
        (await Within(remote.ReadAsync(new byte[1], CancellationToken.None))).ShouldBe(1);
        return new StreamPair(local, remote);
    }

    /// <summary>Proves that a connection works in both directions.</summary>
    protected async Task RoundTripAsync(ITransportConnection from, ITransportConnection to)
    {
        StreamPair stream = await OpenAsync(from, to, StreamDirection.Bidirectional);
        await Within(stream.Remote.WriteAsync(new byte[] { 2, 3 }, endStream: true, CancellationToken.None));
        (await Within(ReadToEndAsync(stream.Local))).ShouldBe([2, 3]);
        await Within(stream.Local.WriteAsync(default, endStream: true, CancellationToken.None));
        (await Within(ReadToEndAsync(stream.Remote))).ShouldBeEmpty();
    }

    protected static async Task<byte[]> ReadToEndAsync(ITransportStream stream, int bufferSize = 64 * 1024)
    {
        using var all = new MemoryStream();
        var buffer = new byte[bufferSize];
        int count;
        while ((count = await stream.ReadAsync(buffer, CancellationToken.None).ConfigureAwait(false)) > 0)
            all.Write(buffer, 0, count);
        return all.ToArray();
    }

    /// <summary>Compares large contents; an assertion that lists the bytes would take seconds.</summary>
    protected static void ShouldBeSame(byte[] actual, byte[] expected)
    {
        actual.Length.ShouldBe(expected.Length);
        actual.AsSpan().SequenceEqual(expected).ShouldBeTrue("the bytes differ");
    }

    protected static byte[] Payload(int length, int seed = 1)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }
}
