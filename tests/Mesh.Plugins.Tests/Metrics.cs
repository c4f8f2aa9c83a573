using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using EventMesh.Diagnostics;

namespace EventMesh.Plugins.Tests;

/// <summary>What the meter measured for one plugin: tests run at the same time.</summary>
internal sealed class Metrics : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly ConcurrentQueue<(string Name, string? Unit, double Value, Dictionary<string, object?> Tags)> _measured = [];

    public Metrics(string plugin)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == MeshTelemetry.SourceName)
                listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.Start();

        void Add(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            Dictionary<string, object?> all = new(tags.ToArray());
            if (plugin.Equals(all.GetValueOrDefault(MeshTelemetry.Attributes.Plugin)))
                _measured.Enqueue((instrument.Name, instrument.Unit, value, all));
        }
    }

    public IReadOnlyList<(string Name, string? Unit, double Value, Dictionary<string, object?> Tags)> All(string name) =>
        [.. _measured.Where(one => one.Name == name)];

    public double Sum(string name) => All(name).Sum(one => one.Value);

    public void Dispose() => _listener.Dispose();
}
