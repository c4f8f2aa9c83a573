using EventMesh.Host.Control;
using EventMesh.Host.Errors;
using EventMesh.Host.Events;
using EventMesh.Host.Messages;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace EventMesh.Host.Endpoints;

/// <summary>The control interface: all endpoints, and problems for what fails.</summary>
internal static class ControlEndpoints
{
    /// <summary>The largest request body: 64 MiB.</summary>
    public const long MaxRequestBytes = 64L * 1024 * 1024;

    /// <summary>Adds what the endpoints need beside the node.</summary>
    public static IServiceCollection AddControl(this IServiceCollection services)
    {
        services.AddRouting();
        services.ConfigureHttpJsonOptions(o => ControlJson.Configure(o.SerializerOptions));
        // A request that can't be read is answered like any other failure: with a problem.
        services.Configure<RouteHandlerOptions>(o => o.ThrowOnBadRequest = true);
        services.AddSingleton<EventFeed>();
        services.AddMessageTap();
        return services;
    }

    /// <summary>Maps the control interface.</summary>
    public static void MapControl(this WebApplication app)
    {
        app.Use(AnswerProblemsAsync);
        app.MapHealth();
        RouteGroupBuilder v1 = app.MapGroup("v1");
        v1.MapNode();
        v1.MapPeers();
        v1.MapMessages();
        v1.MapEvents();
        v1.MapCache();
        v1.MapTrust();
        v1.MapSuccessions();
        v1.MapProjections();
        v1.MapFleet();
        v1.MapSegments();
        v1.MapHistory();
        v1.MapTimeline();
        v1.MapDifferences();
        v1.MapMeshHistory();
        v1.MapExport();
        v1.MapAudit();
    }

    /// <summary>Answers what a handler throws as a problem.</summary>
    private static async Task AnswerProblemsAsync(HttpContext context, RequestDelegate next)
    {
        try
        {
            await next(context);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The client went away: nobody is left to answer.
        }
        catch (Exception e) when (!context.Response.HasStarted)
        {
            MeshException mesh = e is BadHttpRequestException bad
                ? new MeshException(MeshError.InvalidConfiguration, $"The request is malformed: {bad.InnerException?.Message ?? bad.Message}", bad)
                : e.ToMeshException();
            await WriteProblemAsync(context, MeshProblem.From(mesh));
        }
    }

    private static Task WriteProblemAsync(HttpContext context, MeshProblem problem)
    {
        context.Response.StatusCode = problem.Status;
        return context.Response.WriteAsJsonAsync(problem, ControlJson.Options, MeshProblem.ContentType, context.RequestAborted);
    }
}
