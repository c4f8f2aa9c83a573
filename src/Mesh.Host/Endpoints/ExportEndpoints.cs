using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using EventMesh.Host.Events;
using EventMesh.Journal;
using EventMesh.Marten.Queries;
using EventMesh.Marten.Store;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;

namespace EventMesh.Host.Endpoints;

/// <summary><c>/v1/log/export</c> and <c>/v1/log/import</c>: a range of a log out, and a log in for analysis.</summary>
internal static class ExportEndpoints
{
    /// <summary>Maps the endpoints.</summary>
    public static void MapExport(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("log/export", async (
            DateTimeOffset? from, DateTimeOffset? to, long? after, long? through, string[]? type, [FromQuery(Name = "node")] string? of, IMeshQueries queries,
            IEventStore store, INodeStatus node, IEventJournal journal, CancellationToken cancellationToken) =>
        {
            HistorySource source = HistorySource.From(of, node, journal);
            IReadOnlyList<string>? types = EventTypes.Select(type);
            if (from is not null && after is not null || to is not null && through is not null)
                throw new MeshException(MeshError.InvalidConfiguration, "A range is given by times or by places: 'from' or 'after', 'to' or 'through'.");
            LogPosition end = await store.GetPositionAsync(source.Node, cancellationToken);
            if (end.NodeSeq == 0) throw new MeshException(MeshError.InvalidConfiguration, $"The store has no log of node {source.Node}.");
            long first = after ?? (from is { } start ? await queries.FindPlaceAsync(source.Node, start.AddMicroseconds(-1), cancellationToken) : 0);
            long last = Math.Min(end.NodeSeq, through ?? (to is { } until ? await queries.FindPlaceAsync(source.Node, until, cancellationToken) : end.NodeSeq));
            if (first < 0 || last < first) throw new MeshException(MeshError.InvalidConfiguration, "The range is empty: it ends before it begins.");
            ExportHeader header = new(ExportHeader.Name, 1, source.Node.Value, first, last, types);
            return new LineStream<object>(token => ExportAsync(store, source.Node, header, token), item => item is EventView view ? view.Seq.ToString(CultureInfo.InvariantCulture) : "", "event");
        });

        routes.MapPost("log/import", async (HttpContext context, ILogImporter importer, CancellationToken cancellationToken) =>
        {
            // A log has no largest size; it is read as it comes.
            if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit) limit.MaxRequestBodySize = null;
            using StreamReader lines = new(context.Request.Body, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
            ExportReader export = new(lines);
            await export.OpenAsync(cancellationToken);
            long events = await importer.ImportAsync(new NodeId(export.Node), export.ReadAsync(cancellationToken), export.Through, cancellationToken);
            return new ImportView(export.Node, events);
        });
    }

    /// <summary>The header, the events, and a last line that says that this is all.</summary>
    private static async IAsyncEnumerable<object> ExportAsync(
        IEventStore store, NodeId node, ExportHeader header, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        yield return header;
        HashSet<string>? names = header.Types is null ? null : [.. header.Types];
        long events = 0;
        await foreach (RecordedEvent recorded in store.ReadAsync(node, header.After, families: null, cancellationToken))
        {
            if (recorded.NodeSeq > header.Through) break;
            if (names?.Contains(EventRegistry.Default.Get(recorded.Data.GetType()).WireName) == false) continue;
            events++;
            yield return EventViews.From(recorded);
        }
        yield return new ExportEnd(events);
    }
}
