using System.Text.Json;
using EventMesh.Host.Control;
using EventMesh.Host.Errors;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace EventMesh.Host.Endpoints;

/// <summary>
/// An answer that goes on: one JSON object per line, or Server-Sent Events for who accepts <c>text/event-stream</c>. It ends with the source, with
/// the client, or with the node; when the source fails, its last line is a problem.
/// </summary>
/// <param name="open">Opens the source; it is ended by the token.</param>
/// <param name="id">The identity of an item, to resume from.</param>
/// <param name="name">What an item is, for Server-Sent Events.</param>
/// <param name="owned">Disposed at the end.</param>
internal sealed class LineStream<T>(Func<CancellationToken, IAsyncEnumerable<T>> open, Func<T, string> id, string name, IDisposable? owned = null) : IResult
{
    private const string EventStream = "text/event-stream";

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        using IDisposable? _ = owned;
        IHostApplicationLifetime lifetime = httpContext.RequestServices.GetRequiredService<IHostApplicationLifetime>();
        using CancellationTokenSource ended = CancellationTokenSource.CreateLinkedTokenSource(httpContext.RequestAborted, lifetime.ApplicationStopping);
        bool sse = httpContext.Request.Headers.Accept.Any(a => a?.Contains(EventStream, StringComparison.OrdinalIgnoreCase) == true);
        httpContext.Response.ContentType = sse ? EventStream : "application/x-ndjson";
        httpContext.Response.Headers.CacheControl = "no-store";
        await httpContext.Response.StartAsync(ended.Token);
        await httpContext.Response.Body.FlushAsync(ended.Token);
        try
        {
            await CopyAsync(httpContext.Response.Body, sse, ended.Token);
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            // The client went away or the node stops: a complete answer either way.
        }
        catch (Exception e) when (!ended.IsCancellationRequested)
        {
            byte[] problem = JsonSerializer.SerializeToUtf8Bytes(MeshProblem.From(e.ToMeshException()), ControlJson.Options);
            await WriteAsync(httpContext.Response.Body, sse, "problem", "", problem, ended.Token);
        }
    }

    private async Task CopyAsync(Stream body, bool sse, CancellationToken cancellationToken)
    {
        await using IAsyncEnumerator<T> items = open(cancellationToken).GetAsyncEnumerator(cancellationToken);
        while (true)
        {
            // Flushed whenever the next item has to be waited for: each item leaves at once, and many leave together.
            Task<bool> next = items.MoveNextAsync().AsTask();
            try
            {
                if (!next.IsCompleted) await body.FlushAsync(cancellationToken);
            }
            finally
            {
                // Also when the flush failed: the source must not be disposed while it moves. It ends with the same token.
                await next;
            }
            if (!await next) return;
            byte[] json = JsonSerializer.SerializeToUtf8Bytes(items.Current, ControlJson.Options);
            await WriteAsync(body, sse, name, id(items.Current), json, cancellationToken);
        }
    }

    private static async Task WriteAsync(Stream body, bool sse, string name, string id, byte[] json, CancellationToken cancellationToken)
    {
        if (sse)
        {
            await body.WriteAsync(System.Text.Encoding.UTF8.GetBytes($"event: {name}\n{(id.Length > 0 ? $"id: {id}\n" : "")}data: "), cancellationToken);
            await body.WriteAsync(json, cancellationToken);
            await body.WriteAsync("\n\n"u8.ToArray(), cancellationToken);
        }
        else
        {
            await body.WriteAsync(json, cancellationToken);
            await body.WriteAsync("\n"u8.ToArray(), cancellationToken);
        }
    }
}
