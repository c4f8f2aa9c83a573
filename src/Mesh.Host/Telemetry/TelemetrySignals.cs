using Microsoft.Extensions.Configuration;

namespace EventMesh.Host.Telemetry;

/// <summary>Which signals the environment asks to export.</summary>
internal readonly record struct TelemetrySignals(bool Traces, bool Metrics, bool Logs)
{
    /// <summary>Whether any is.</summary>
    public bool Any => Traces || Metrics || Logs;

    /// <summary>Reads the standard variables of the OpenTelemetry specification.</summary>
    public static TelemetrySignals Read(IConfiguration environment)
    {
        if (string.Equals(environment["OTEL_SDK_DISABLED"], "true", StringComparison.OrdinalIgnoreCase)) return default;
        bool all = IsSet("OTEL_EXPORTER_OTLP_ENDPOINT");
        return new(Has("TRACES"), Has("METRICS"), Has("LOGS"));

        bool IsSet(string name) => !string.IsNullOrWhiteSpace(environment[name]);
        bool Has(string signal) =>
            (all || IsSet($"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT"))
            && !string.Equals(environment[$"OTEL_{signal}_EXPORTER"], "none", StringComparison.OrdinalIgnoreCase);
    }
}
