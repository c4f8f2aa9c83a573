using EventMesh.Diagnostics;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace EventMesh.Host.Telemetry;

/// <summary>Export by the standard <c>OTEL_*</c> variables; docs/telemetry.md lists the names.</summary>
internal static class MeshTelemetryExtensions
{
    /// <summary><c>service.name</c> when <c>OTEL_SERVICE_NAME</c> says nothing else.</summary>
    public const string DefaultServiceName = "eventmesh";

    /// <summary>
    /// Adds OTLP exporters for the signals that have an endpoint in the environment. Without one nothing is added: no listener, no cost.
    /// </summary>
    public static IServiceCollection AddMeshTelemetry(this IServiceCollection services, IConfiguration environment)
    {
        TelemetrySignals signals = TelemetrySignals.Read(environment);
        if (!signals.Any) return services;
        OpenTelemetryBuilder builder = services.AddOpenTelemetry().ConfigureResource(resource =>
        {
            // The later wins: the environment's own service.name and attributes come last.
            resource.Clear()
                .AddService(DefaultServiceName, serviceVersion: MeshTelemetry.Version)
                .AddTelemetrySdk()
                .AddEnvironmentVariableDetector();
        });
        if (signals.Traces)
        {
            builder.WithTracing(tracing => tracing
                .AddSource(MeshTelemetry.SourceName, "Marten", "Npgsql")
                .AddAspNetCoreInstrumentation()
                .AddOtlpExporter());
        }
        if (signals.Metrics)
        {
            builder.WithMetrics(metrics => metrics
                .AddMeter(MeshTelemetry.SourceName, "Marten", "Npgsql")
                .AddAspNetCoreInstrumentation()
                .AddRuntimeInstrumentation()
                .AddOtlpExporter());
        }
        if (signals.Logs)
        {
            builder.WithLogging(logging => logging.AddOtlpExporter(), options =>
            {
                options.IncludeFormattedMessage = true;
                options.IncludeScopes = true;
            });
        }
        return services;
    }
}
