using EventMesh.Host.Telemetry;
using Microsoft.Extensions.Configuration;

namespace EventMesh.Host.Tests.Telemetry;

public sealed class TelemetrySignalsTests
{
    [Fact]
    public void Nothing_is_exported_unless_asked_for() => Read().Any.ShouldBeFalse();

    [Fact]
    public void One_endpoint_is_for_all_signals() => Read("OTEL_EXPORTER_OTLP_ENDPOINT=http://x").ShouldBe(new TelemetrySignals(true, true, true));

    [Fact]
    public void An_endpoint_of_a_signal_is_for_it_alone() =>
        Read("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT=http://x").ShouldBe(new TelemetrySignals(false, true, false));

    [Fact]
    public void A_signal_can_be_left_out() =>
        Read("OTEL_EXPORTER_OTLP_ENDPOINT=http://x", "OTEL_LOGS_EXPORTER=none").ShouldBe(new TelemetrySignals(true, true, false));

    [Fact]
    public void Disabled_is_disabled() => Read("OTEL_EXPORTER_OTLP_ENDPOINT=http://x", "OTEL_SDK_DISABLED=true").Any.ShouldBeFalse();

    private static TelemetrySignals Read(params string[] variables) => TelemetrySignals.Read(new ConfigurationBuilder().AddInMemoryCollection(
        variables.Select(v => v.Split('=')).Select(v => KeyValuePair.Create(v[0], (string?)v[1]))).Build());
}
