using System.Net;
using System.Net.Sockets;

namespace EventMesh.Transport.Ngtcp2.Tests;

/// <summary>A middlebox between one client and a server: it can lose, change and multiply datagrams, and change its outer port.</summary>
internal sealed class UdpProxy : IAsyncDisposable
{
    private readonly UdpClient _inside = Bind();
    private readonly List<UdpClient> _outside = [Bind()];
    private readonly IPEndPoint _server;
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _pumps = [];
    private IPEndPoint? _client;
    private UdpClient _current;
    private Marker? _marker;

    public UdpProxy(IPEndPoint server)
    {
        _server = server;
        _current = _outside[0];
        _pumps.Add(PumpAsync(_inside, toServer: true));
        _pumps.Add(PumpAsync(_current, toServer: false));
    }

    /// <summary>Decides what becomes of a datagram (the second argument tells whether it goes to the server); all pass by default.</summary>
    public Func<byte[], bool, IEnumerable<byte[]>> Fate { get; set; } = static (datagram, _) => [datagram];

    public IPEndPoint LocalEndPoint => (IPEndPoint)_inside.Client.LocalEndPoint!;

    /// <summary>The address that the server sees.</summary>
    public IPEndPoint OuterEndPoint => (IPEndPoint)Volatile.Read(ref _current).Client.LocalEndPoint!;

    /// <summary>Sends from another port from now on, as a NAT does that has forgotten the flow.</summary>
    public void Rebind()
    {
        UdpClient next = Bind();
        _outside.Add(next);
        _pumps.Add(PumpAsync(next, toServer: false));
        Volatile.Write(ref _current, next);
    }

    /// <summary>Returns when <see cref="Fate"/> has decided about all that the server has sent before.</summary>
    public async Task DrainAsync()
    {
        var marker = new Marker(Guid.NewGuid().ToByteArray(), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        Volatile.Write(ref _marker, marker);
        using UdpClient sender = Bind();
        await sender.SendAsync(marker.Datagram, OuterEndPoint, _stop.Token);
        await marker.Seen.Task;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_pumps);
        _inside.Dispose();
        _outside.ForEach(socket => socket.Dispose());
        _stop.Dispose();
    }

    private async Task PumpAsync(UdpClient from, bool toServer)
    {
        try
        {
            while (true)
            {
                UdpReceiveResult received = await from.ReceiveAsync(_stop.Token);
                if (toServer)
                    _client = received.RemoteEndPoint;
                else if (from != Volatile.Read(ref _current))
                    continue;
                if (Volatile.Read(ref _marker) is { } marker && received.Buffer.AsSpan().SequenceEqual(marker.Datagram))
                {
                    marker.Seen.TrySetResult();
                    continue;
                }
                foreach (byte[] datagram in Fate(received.Buffer, toServer))
                {
                    if (toServer)
                        await Volatile.Read(ref _current).SendAsync(datagram, _server, _stop.Token);
                    else
                        await _inside.SendAsync(datagram, _client!, _stop.Token);
                }
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    private static UdpClient Bind()
    {
        var socket = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        socket.Client.ReceiveBufferSize = 2 << 20;
        return socket;
    }

    private sealed record Marker(byte[] Datagram, TaskCompletionSource Seen);
}
