using System.Text.Json;
using EventMesh.Host.Endpoints;
using EventMesh.Journal;

namespace EventMesh.Host.Events;

/// <summary>Shows events under their names and in their form on disk.</summary>
internal static class EventViews
{
    /// <summary>The view of an event.</summary>
    public static EventView From(RecordedEvent recorded)
    {
        EventDescriptor descriptor = EventRegistry.Default.Get(recorded.Data.GetType());
        JsonElement data = JsonSerializer.SerializeToElement(recorded.Data, descriptor.Type, MeshJson.Options);
        return new(
            recorded.NodeSeq, recorded.Epoch, recorded.Time, recorded.Id, descriptor.WireName, descriptor.Family, recorded.TraceParent, data);
    }
}
