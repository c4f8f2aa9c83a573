using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text.Json;
using EventMesh.Bootstrap;
using EventMesh.Host.Endpoints;
using EventMesh.Host.Errors;
using EventMesh.Journal;
using EventMesh.Marten.Audit;
using EventMesh.Marten.Retention;
using EventMesh.Projections;

namespace EventMesh.Host.Control;

/// <summary>Talks to the node that runs on a data directory, over its Unix socket.</summary>
/// <remarks>
/// All members may be called concurrently. They fail with <see cref="MeshException"/>: what the node answered, or
/// <see cref="MeshError.NodeStopped"/> when none runs.
/// </remarks>
internal sealed class ControlClient : IDisposable
{
    private readonly string _dataDirectory;
    private readonly HttpClient _http;

    public ControlClient(string dataDirectory)
    {
        _dataDirectory = Path.GetFullPath(dataDirectory);
        SocketsHttpHandler handler = new() { ConnectCallback = ConnectAsync, UseProxy = false, AllowAutoRedirect = false, UseCookies = false };
        // Requests end by cancellation: a followed log has no time limit, and a send has the node's.
        _http = new HttpClient(handler) { BaseAddress = new Uri("http://mesh/"), Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <summary>The node.</summary>
    public Task<NodeView> GetNodeAsync(CancellationToken cancellationToken) => GetAsync<NodeView>("v1/node", cancellationToken);

    /// <summary>How the node fares.</summary>
    public Task<HealthView> GetHealthAsync(CancellationToken cancellationToken) => GetAsync<HealthView>("health", cancellationToken);

    /// <summary>The joined peers.</summary>
    public Task<PeerView[]> GetPeersAsync(CancellationToken cancellationToken) => GetAsync<PeerView[]>("v1/peers", cancellationToken);

    /// <summary>The bootstrap cache, newest first.</summary>
    public Task<CacheEntryView[]> GetCacheAsync(CancellationToken cancellationToken) => GetAsync<CacheEntryView[]>("v1/cache", cancellationToken);

    /// <summary>The peers that were joined at a time, a page.</summary>
    public Task<HistoryView<JoinedPeerView>> GetPeersAsync(QueryText query, CancellationToken cancellationToken) =>
        GetAsync<HistoryView<JoinedPeerView>>($"v1/history/peers{query}", cancellationToken);

    /// <summary>The cache at a time, a page.</summary>
    public Task<HistoryView<CacheEntryView>> GetCacheAsync(QueryText query, CancellationToken cancellationToken) =>
        GetAsync<HistoryView<CacheEntryView>>($"v1/history/cache{query}", cancellationToken);

    /// <summary>Connections that stand or stood, a page.</summary>
    public Task<HistoryView<ConnectionView>> GetConnectionsAsync(QueryText query, CancellationToken cancellationToken) =>
        GetAsync<HistoryView<ConnectionView>>($"v1/history/connections{query}", cancellationToken);

    /// <summary>The events that concern a peer, a page; <paramref name="peer"/> may be shortened.</summary>
    public Task<TimelineView> GetTimelineAsync(string peer, QueryText query, CancellationToken cancellationToken) =>
        GetAsync<TimelineView>($"v1/history/timeline/{Uri.EscapeDataString(peer)}{query}", cancellationToken);

    /// <summary>The net difference between two times.</summary>
    public Task<DifferenceView> GetDifferenceAsync(QueryText query, CancellationToken cancellationToken) =>
        GetAsync<DifferenceView>($"v1/history/difference{query}", cancellationToken);

    /// <summary>Each change between two times, a page.</summary>
    public Task<HistoryView<MeshChange>> GetChangesAsync(QueryText query, CancellationToken cancellationToken) =>
        GetAsync<HistoryView<MeshChange>>($"v1/history/changes{query}", cancellationToken);

    /// <summary>The end of the log, signed by the node's key.</summary>
    public Task<SignedHead> GetHeadAsync(CancellationToken cancellationToken) => GetAsync<SignedHead>("v1/audit/head", cancellationToken);

    /// <summary>Checks the log; it takes as long as reading it several times.</summary>
    public Task<AuditReport> VerifyAsync(AuditRequest request, CancellationToken cancellationToken) =>
        PostAsync<AuditRequest, AuditReport>("v1/audit/verify", request, cancellationToken);

    /// <summary>Erases a peer's addresses from the log.</summary>
    public Task<AuditErasure> EraseAsync(ErasureRequest request, CancellationToken cancellationToken) =>
        PostAsync<ErasureRequest, AuditErasure>("v1/privacy/erase", request, cancellationToken);

    /// <summary>The trust ledger.</summary>
    public Task<TrustView> GetTrustAsync(CancellationToken cancellationToken) => GetAsync<TrustView>("v1/trust", cancellationToken);

    /// <summary>The trust ledger at a time.</summary>
    public Task<TrustHistoryView> GetTrustAsync(QueryText query, CancellationToken cancellationToken) =>
        GetAsync<TrustHistoryView>($"v1/history/trust{query}", cancellationToken);

    /// <summary>Who is or was joined to whom.</summary>
    public Task<TopologyView> GetTopologyAsync(QueryText query, CancellationToken cancellationToken) =>
        GetAsync<TopologyView>($"v1/history/topology{query}", cancellationToken);

    /// <summary>Binds a contact to a peer; done when it is durable.</summary>
    public Task<TrustChangeView> PinAsync(PinRequest request, CancellationToken cancellationToken) =>
        PostAsync<PinRequest, TrustChangeView>("v1/trust/pin", request, cancellationToken);

    /// <summary>Takes the pin of a contact back; done when it is durable.</summary>
    public Task<TrustChangeView> UnpinAsync(UnpinRequest request, CancellationToken cancellationToken) =>
        PostAsync<UnpinRequest, TrustChangeView>("v1/trust/unpin", request, cancellationToken);

    /// <summary>Changes the ledger by one of its commands: trust, block, unblock, revoke; done when it is durable.</summary>
    public Task<TrustChangeView> ChangeTrustAsync(string command, TrustRequest request, CancellationToken cancellationToken) =>
        PostAsync<TrustRequest, TrustChangeView>($"v1/trust/{command}", request, cancellationToken);

    /// <summary>What is known of all nodes in the database, or of one part of it: <c>/peers</c>, <c>/cache</c>, <c>/trust</c>.</summary>
    public Task<T> GetFleetAsync<T>(string part, CancellationToken cancellationToken) => GetAsync<T>($"v1/fleet{part}", cancellationToken);

    /// <summary>Dials an address for the cache.</summary>
    public Task<CacheEntryView> AddToCacheAsync(ConnectRequest request, CancellationToken cancellationToken) =>
        PostAsync<ConnectRequest, CacheEntryView>("v1/cache", request, cancellationToken);

    /// <summary>Takes a node out of the cache; <paramref name="peer"/> may be shortened.</summary>
    public Task<CacheEntryView> RemoveFromCacheAsync(string peer, CancellationToken cancellationToken) =>
        DeleteAsync<CacheEntryView>($"v1/cache/{Uri.EscapeDataString(peer)}", cancellationToken);

    /// <summary>The cache for another node.</summary>
    public Task<CacheFile> ExportCacheAsync(CancellationToken cancellationToken) => GetAsync<CacheFile>("v1/cache/export", cancellationToken);

    /// <summary>Brings in nodes from another cache.</summary>
    public Task<CacheImport> ImportCacheAsync(CacheFile file, CancellationToken cancellationToken) =>
        PostAsync<CacheFile, CacheImport>("v1/cache/import", file, cancellationToken);

    /// <summary>The disputed changes of keys.</summary>
    public Task<DisputeView[]> GetDisputesAsync(CancellationToken cancellationToken) => GetAsync<DisputeView[]>("v1/successions/disputes", cancellationToken);

    /// <summary>Decides on a disputed key; answered when it is durable.</summary>
    public Task<DecisionView> ResolveAsync(ResolveRequest request, CancellationToken cancellationToken) =>
        PostAsync<ResolveRequest, DecisionView>("v1/successions", request, cancellationToken);

    /// <summary>How far the stored projections are.</summary>
    public Task<ProjectionView[]> GetProjectionsAsync(CancellationToken cancellationToken) => GetAsync<ProjectionView[]>("v1/projections", cancellationToken);

    /// <summary>Folds a projection anew; answered when readers see it.</summary>
    public Task<ProjectionView> RebuildProjectionAsync(string name, CancellationToken cancellationToken) =>
        PostAsync<object, ProjectionView>($"v1/projections/{Uri.EscapeDataString(name)}/rebuild", new { }, cancellationToken);

    /// <summary>The months of the log.</summary>
    public Task<SegmentInfo[]> GetSegmentsAsync(CancellationToken cancellationToken) => GetAsync<SegmentInfo[]>("v1/segments", cancellationToken);

    /// <summary>Compresses closed months.</summary>
    public Task<SegmentsChange> ArchiveSegmentsAsync(SegmentsRequest request, CancellationToken cancellationToken) =>
        PostAsync<SegmentsRequest, SegmentsChange>("v1/segments/archive", request, cancellationToken);

    /// <summary>Removes months of connections for good, or tells which would be.</summary>
    public Task<SegmentsChange> DropSegmentsAsync(SegmentsRequest request, CancellationToken cancellationToken) =>
        PostAsync<SegmentsRequest, SegmentsChange>("v1/segments/drop", request, cancellationToken);

    /// <summary>Dials an address.</summary>
    public Task<PeerView> ConnectAsync(ConnectRequest request, CancellationToken cancellationToken) =>
        PostAsync<ConnectRequest, PeerView>("v1/peers", request, cancellationToken);

    /// <summary>Sends messages and returns how each ended, in their order.</summary>
    public Task<SendBatchResponse> SendAsync(SendBatchRequest request, CancellationToken cancellationToken) =>
        PostAsync<SendBatchRequest, SendBatchResponse>("v1/messages", request, cancellationToken);

    /// <summary>Sends a request and returns its response.</summary>
    public Task<RequestResponse> RequestAsync(RequestRequest request, CancellationToken cancellationToken) =>
        PostAsync<RequestRequest, RequestResponse>("v1/requests", request, cancellationToken);

    /// <summary>Closes the connections with a peer; <paramref name="peer"/> may be shortened.</summary>
    public Task<PeerView> DisconnectAsync(string peer, CancellationToken cancellationToken) =>
        DeleteAsync<PeerView>($"v1/peers/{Uri.EscapeDataString(peer)}", cancellationToken);

    /// <summary>Reads the log after a place; with <paramref name="follow"/> it goes on with each new event. Of one stream only, if one is given.</summary>
    public async IAsyncEnumerable<EventView> GetEventsAsync(
        long after, bool follow, [EnumeratorCancellation] CancellationToken cancellationToken, StreamFamily? stream = null)
    {
        string only = stream is { } family ? $"&stream={family}" : "";
        using HttpRequestMessage request = new(HttpMethod.Get, $"v1/events?after={after}&follow={(follow ? "true" : "false")}{only}");
        using HttpResponseMessage response = await SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        await foreach (EventView recorded in ReadLinesAsync<EventView>(response, cancellationToken)) yield return recorded;
    }

    /// <summary>Reads a range of the log: a header, the events, and a last line without which it was cut off.</summary>
    public async IAsyncEnumerable<JsonElement> ExportAsync(QueryText query, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using HttpRequestMessage request = new(HttpMethod.Get, $"v1/log/export{query}");
        using HttpResponseMessage response = await SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        await foreach (JsonElement line in ReadLinesAsync<JsonElement>(response, cancellationToken)) yield return line;
    }

    /// <summary>Brings an exported log into the node's store; answered when all of it is there.</summary>
    public async Task<ImportView> ImportLogAsync(Stream export, CancellationToken cancellationToken)
    {
        using HttpRequestMessage request = new(HttpMethod.Post, "v1/log/import") { Content = new StreamContent(export) };
        using HttpResponseMessage response = await SendAsync(request, HttpCompletionOption.ResponseContentRead, cancellationToken);
        return await ReadAsync<ImportView>(response, cancellationToken);
    }

    /// <summary>Subscribes to the messages that the node receives. The subscription stands when the task completes.</summary>
    /// <param name="channel">The channel, with <c>*</c> as last character for any rest; null for all.</param>
    /// <param name="cancellationToken">Ends the subscription.</param>
    public async Task<IAsyncEnumerable<MessageView>> SubscribeAsync(string? channel, CancellationToken cancellationToken)
    {
        HttpRequestMessage request = new(HttpMethod.Get, $"v1/messages?channel={Uri.EscapeDataString(channel ?? "*")}");
        HttpResponseMessage response = await SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        return ReadLinesAsync<MessageView>(response, cancellationToken);
    }

    public void Dispose() => _http.Dispose();

    private async Task<T> GetAsync<T>(string path, CancellationToken cancellationToken)
    {
        using HttpRequestMessage request = new(HttpMethod.Get, path);
        using HttpResponseMessage response = await SendAsync(request, HttpCompletionOption.ResponseContentRead, cancellationToken);
        return await ReadAsync<T>(response, cancellationToken);
    }

    private async Task<T> DeleteAsync<T>(string path, CancellationToken cancellationToken)
    {
        using HttpRequestMessage request = new(HttpMethod.Delete, path);
        using HttpResponseMessage response = await SendAsync(request, HttpCompletionOption.ResponseContentRead, cancellationToken);
        return await ReadAsync<T>(response, cancellationToken);
    }

    private async Task<TResponse> PostAsync<TRequest, TResponse>(string path, TRequest body, CancellationToken cancellationToken)
    {
        using HttpRequestMessage request = new(HttpMethod.Post, path) { Content = JsonContent.Create(body, options: ControlJson.Options) };
        using HttpResponseMessage response = await SendAsync(request, HttpCompletionOption.ResponseContentRead, cancellationToken);
        return await ReadAsync<TResponse>(response, cancellationToken);
    }

    private static async Task<T> ReadAsync<T>(HttpResponseMessage response, CancellationToken cancellationToken) =>
        await response.Content.ReadFromJsonAsync<T>(ControlJson.Options, cancellationToken)
            ?? throw new MeshException(MeshError.Unknown, "The node answered with an empty document. Is it of another version?");

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, HttpCompletionOption completion, CancellationToken cancellationToken)
    {
        HttpResponseMessage response;
        try
        {
            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
            response = await _http.SendAsync(request, completion, cancellationToken);
        }
        catch (HttpRequestException e)
        {
            throw e.ToMeshException();
        }
        if (response.IsSuccessStatusCode) return response;
        using (response)
        {
            throw await ReadProblemAsync(response, cancellationToken);
        }
    }

    private static async Task<MeshException> ReadProblemAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (response.Content.Headers.ContentType?.MediaType == MeshProblem.ContentType)
        {
            try
            {
                MeshProblem? problem = await response.Content.ReadFromJsonAsync<MeshProblem>(ControlJson.Options, cancellationToken);
                if (problem is { Detail: not null }) return problem.ToException();
            }
            catch (JsonException)
            {
                // Of another version, then: the status says what is left to say.
            }
        }
        return new MeshException(MeshError.Unknown, $"The node answered {(int)response.StatusCode} {response.ReasonPhrase}. Is it of another version?");
    }

    private static async IAsyncEnumerable<T> ReadLinesAsync<T>(HttpResponseMessage response, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using (response)
        {
            await using Stream stream = await response.Content.ReadAsStreamAsync(cancellationToken);
            using StreamReader reader = new(stream);
            while (await ReadLineAsync(reader, cancellationToken) is { } line)
            {
                JsonElement element = JsonSerializer.Deserialize<JsonElement>(line);
                // A stream that can't go on ends with a problem, recognised by its type.
                if (element.TryGetProperty("type", out JsonElement type) && type.ValueKind == JsonValueKind.String
                    && type.GetString()!.StartsWith(ErrorEntry.TypePrefix, StringComparison.Ordinal))
                {
                    throw element.Deserialize<MeshProblem>(ControlJson.Options)!.ToException();
                }
                yield return element.Deserialize<T>(ControlJson.Options)!;
            }
        }
    }

    private static async Task<string?> ReadLineAsync(StreamReader reader, CancellationToken cancellationToken)
    {
        try
        {
            return await reader.ReadLineAsync(cancellationToken);
        }
        catch (IOException e)
        {
            throw new MeshException(MeshError.NodeStopped, "The node closed the control connection: it has stopped. Its log says why.", e);
        }
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(ControlSocket.GetPath(_dataDirectory)), cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw e.SocketErrorCode == SocketError.AccessDenied
                ? new MeshException(
                    MeshError.DataDirectoryUnusable,
                    $"The control socket of data directory {_dataDirectory} is closed to this user: run the command as the user that runs the node.", e)
                : new MeshException(
                    MeshError.NodeStopped,
                    $"No node is running on data directory {_dataDirectory}: start one with `mesh run --data {_dataDirectory}`.", e);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
