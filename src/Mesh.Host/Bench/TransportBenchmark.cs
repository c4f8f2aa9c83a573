using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EventMesh.Transport;

namespace EventMesh.Host.Bench;

/// <summary>Measures a transport: two endpoints in this process, over loopback, with mutual certificates and Retry.</summary>
internal sealed class TransportBenchmark : IAsyncDisposable
{
    private const int WarmConnections = 50;
    private const int WarmHandshakes = 1500;
    private const int MessagesUnderWay = 64;
    private const int BlockBytes = 64 * 1024;

    private readonly TransportBenchmarkOptions _options;
    private readonly X509Certificate2 _certificate;
    private readonly ITransportEndpoint _listening;
    private readonly ITransportEndpoint _client;
    private readonly TransportBenchmarkServer _server;
    private readonly Task _serving;

    private TransportBenchmark(TransportBenchmarkOptions options, X509Certificate2 certificate, ITransportEndpoint listening, ITransportEndpoint client)
    {
        _options = options;
        _certificate = certificate;
        _listening = listening;
        _client = client;
        _server = new TransportBenchmarkServer(listening);
        _serving = _server.RunAsync();
    }

    /// <summary>Does all measurements once.</summary>
    public static async Task<TransportBenchmarkResult> RunAsync(ITransport transport, TransportBenchmarkOptions options, CancellationToken cancellationToken)
    {
        TransportBenchmark benchmark = await StartAsync(transport, options, cancellationToken).ConfigureAwait(false);
        await using (benchmark.ConfigureAwait(false))
            return await benchmark.MeasureAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Binds both endpoints.</summary>
    public static async Task<TransportBenchmark> StartAsync(ITransport transport, TransportBenchmarkOptions options, CancellationToken cancellationToken)
    {
        X509Certificate2 certificate = CreateCertificate();
        var endpointOptions = new TransportEndpointOptions
        {
            LocalEndPoint = new IPEndPoint(IPAddress.Loopback, 0),
            Certificate = certificate,
            VerifyPeer = static peer => peer.Chain[0].Length > 100,
            IdleTimeout = TimeSpan.FromMinutes(2),
            KeepAliveInterval = TimeSpan.Zero,
            Retry = RetryMode.Always,
        };
        ITransportEndpoint listening = await transport.BindAsync(endpointOptions, cancellationToken).ConfigureAwait(false);
        ITransportEndpoint dialling = await transport.BindAsync(endpointOptions with { Listen = false }, cancellationToken).ConfigureAwait(false);
        return new TransportBenchmark(options, certificate, listening, dialling);
    }

    /// <summary>Dials the other endpoint.</summary>
    public Task<ITransportConnection> ConnectAsync(CancellationToken cancellationToken) => _client.ConnectAsync(_listening.LocalEndPoint, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync().ConfigureAwait(false);
        await _listening.DisposeAsync().ConfigureAwait(false);
        await _serving.ConfigureAwait(false);
        _certificate.Dispose();
    }

    /// <summary>Fills a buffer; false when the stream ended before its first byte.</summary>
    /// <exception cref="EndOfStreamException">The stream ended within the buffer.</exception>
    internal static async ValueTask<bool> ReadExactlyAsync(ITransportStream stream, Memory<byte> buffer)
    {
        int have = 0;
        while (have < buffer.Length)
        {
            int count = await stream.ReadAsync(buffer[have..], CancellationToken.None).ConfigureAwait(false);
            if (count == 0)
                return have == 0 ? false : throw new EndOfStreamException();
            have += count;
        }
        return true;
    }

    /// <summary>Does all measurements once.</summary>
    public async Task<TransportBenchmarkResult> MeasureAsync(CancellationToken cancellationToken)
    {
        // Memory first, while the heaps are small and hold nothing to reuse.
        double kibibytes = await MeasureMemoryAsync(cancellationToken).ConfigureAwait(false);
        await MeasureHandshakesAsync(WarmHandshakes, 4, cancellationToken).ConfigureAwait(false);
        double sequential = await MeasureHandshakesAsync(_options.SequentialHandshakes, 1, cancellationToken).ConfigureAwait(false);
        double concurrent = await MeasureHandshakesAsync(_options.ConcurrentHandshakes, 16, cancellationToken).ConfigureAwait(false);
        ITransportConnection connection = await ConnectAsync(cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            await MeasureBulkAsync(connection, _options.BulkBytes / 16, cancellationToken).ConfigureAwait(false);
            await MeasureMessagesAsync(connection, _options.Messages / 4, cancellationToken).ConfigureAwait(false);
            await MeasureRoundTripsAsync(connection, _options.RoundTrips / 10, cancellationToken).ConfigureAwait(false);
            double bulk = await MeasureBulkAsync(connection, _options.BulkBytes, cancellationToken).ConfigureAwait(false);
            double messages = await MeasureMessagesAsync(connection, _options.Messages, cancellationToken).ConfigureAwait(false);
            double[] trips = await MeasureRoundTripsAsync(connection, _options.RoundTrips, cancellationToken).ConfigureAwait(false);
            return new TransportBenchmarkResult
            {
                HandshakesPerSecond = concurrent,
                HandshakesPerSecondSequential = sequential,
                BulkMegabytesPerSecond = bulk,
                MessagesPerSecond = messages,
                RoundTripMicrosecondsP50 = trips[trips.Length / 2],
                RoundTripMicrosecondsP99 = trips[(int)(trips.Length * 0.99)],
                KibibytesPerConnection = kibibytes,
            };
        }
    }

    private async Task<double> MeasureMemoryAsync(CancellationToken cancellationToken)
    {
        const int AtOnce = 10;
        var connections = new List<ITransportConnection>();
        for (int i = 0; i < WarmConnections; i++)
            connections.Add(await ConnectAsync(cancellationToken).ConfigureAwait(false));
        await Task.Delay(_options.Settling, cancellationToken).ConfigureAwait(false);
        long before = ResidentBytes();
        for (int i = 0; i < _options.IdleConnections / AtOnce; i++)
        {
            connections.AddRange(await Task.WhenAll(
                Enumerable.Range(0, AtOnce).Select(_ => ConnectAsync(cancellationToken))).ConfigureAwait(false));
        }
        await Task.Delay(_options.Settling, cancellationToken).ConfigureAwait(false);
        long after = ResidentBytes();
        foreach (ITransportConnection connection in connections)
            await connection.DisposeAsync().ConfigureAwait(false);
        await Task.Delay(_options.Settling, cancellationToken).ConfigureAwait(false);
        return (after - before) / 1024.0 / _options.IdleConnections;
    }

    private async Task<double> MeasureHandshakesAsync(int total, int atOnce, CancellationToken cancellationToken)
    {
        int left = total;
        // The close is begun, as the reference does, and its end awaited when the clock has stopped.
        var closing = new ConcurrentBag<Task>();
        long start = Stopwatch.GetTimestamp();
        await RunAtOnceAsync(atOnce, async () =>
        {
            while (Interlocked.Decrement(ref left) >= 0)
            {
                ITransportConnection connection = await ConnectAsync(cancellationToken).ConfigureAwait(false);
                closing.Add(connection.CloseAsync(0));
            }
        }).ConfigureAwait(false);
        double perSecond = total / Stopwatch.GetElapsedTime(start).TotalSeconds;
        await Task.WhenAll(closing).ConfigureAwait(false);
        return perSecond;
    }

    private async Task<double> MeasureBulkAsync(ITransportConnection connection, long total, CancellationToken cancellationToken)
    {
        long before = _server.Bytes;
        var block = new byte[BlockBytes];
        Array.Fill(block, TransportBenchmarkServer.Bulk);
        ITransportStream stream = await connection.OpenStreamAsync(StreamDirection.Unidirectional, cancellationToken).ConfigureAwait(false);
        long start = Stopwatch.GetTimestamp();
        for (long sent = 0; sent < total; sent += block.Length)
            await stream.WriteAsync(block, endStream: sent + block.Length >= total, cancellationToken).ConfigureAwait(false);
        while (_server.Bytes - before < total)
            await Task.Delay(1, cancellationToken).ConfigureAwait(false);
        return total / Stopwatch.GetElapsedTime(start).TotalSeconds / 1e6;
    }

    /// <summary>Messages per second.</summary>
    public async Task<double> MeasureMessagesAsync(ITransportConnection connection, int total, CancellationToken cancellationToken)
    {
        long before = _server.Messages;
        var message = new byte[TransportBenchmarkServer.MessageBytes];
        message[0] = TransportBenchmarkServer.Message;
        int left = total;
        long start = Stopwatch.GetTimestamp();
        await RunAtOnceAsync(MessagesUnderWay, async () =>
        {
            while (Interlocked.Decrement(ref left) >= 0)
            {
                ITransportStream stream = await connection.OpenStreamAsync(StreamDirection.Unidirectional, cancellationToken).ConfigureAwait(false);
                await stream.WriteAsync(message, endStream: true, cancellationToken).ConfigureAwait(false);
                await stream.WritesAcknowledged.ConfigureAwait(false);
                await stream.DisposeAsync().ConfigureAwait(false);
            }
        }).ConfigureAwait(false);
        while (_server.Messages - before < total)
            await Task.Delay(1, cancellationToken).ConfigureAwait(false);
        return total / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    /// <summary>The round trips in microseconds, sorted.</summary>
    public static async Task<double[]> MeasureRoundTripsAsync(ITransportConnection connection, int total, CancellationToken cancellationToken)
    {
        var trips = new double[total];
        var message = new byte[TransportBenchmarkServer.MessageBytes];
        ITransportStream stream = await connection.OpenStreamAsync(StreamDirection.Bidirectional, cancellationToken).ConfigureAwait(false);
        await stream.WriteAsync(new[] { TransportBenchmarkServer.Echo }, endStream: false, cancellationToken).ConfigureAwait(false);
        for (int i = 0; i < total; i++)
        {
            long start = Stopwatch.GetTimestamp();
            await stream.WriteAsync(message, endStream: false, cancellationToken).ConfigureAwait(false);
            await ReadExactlyAsync(stream, message).ConfigureAwait(false);
            trips[i] = Stopwatch.GetElapsedTime(start).TotalMicroseconds;
        }
        await stream.WriteAsync(default, endStream: true, cancellationToken).ConfigureAwait(false);
        Array.Sort(trips);
        return trips;
    }

    private static Task RunAtOnceAsync(int count, Func<Task> work) => Task.WhenAll(Enumerable.Range(0, count).Select(_ => Task.Run(work)));

    private static long ResidentBytes()
    {
        GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        GC.WaitForPendingFinalizers();
        using var process = Process.GetCurrentProcess();
        return process.WorkingSet64;
    }

    private static X509Certificate2 CreateCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=bench", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        using X509Certificate2 certificate = request.CreateSelfSigned(now.AddHours(-1), now.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null, X509KeyStorageFlags.Exportable);
    }
}
