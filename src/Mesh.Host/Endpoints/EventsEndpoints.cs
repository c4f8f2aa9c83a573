using System.Globalization;
using EventMesh.Host.Events;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace EventMesh.Host.Endpoints;

/// <summary><c>/v1/events</c>: the log, from a place on, and with <c>follow</c> each new event.</summary>
internal static class EventsEndpoints
{
    /// <summary>Maps the endpoints.</summary>
    public static void MapEvents(this IEndpointRouteBuilder routes) =>
        routes.MapGet("events", (HttpContext context, EventFeed feed, long? after, bool? follow, StreamFamily? stream) =>
        {
            long from = after ?? LastEventId(context) ?? 0;
            if (from < 0) throw new MeshException(MeshError.InvalidConfiguration, "'after' is a place in the log: 0 for the beginning, or more.");
            return new LineStream<EventView>(
                token => feed.ReadAsync(from, follow ?? false, token, stream), recorded => recorded.Seq.ToString(CultureInfo.InvariantCulture), "event");
        });

    // A browser's EventSource resumes with the last id that it has seen (HTML 9.2.4).
    private static long? LastEventId(HttpContext context) =>
        long.TryParse(context.Request.Headers["Last-Event-ID"], NumberStyles.None, CultureInfo.InvariantCulture, out long id) ? id : null;
}
