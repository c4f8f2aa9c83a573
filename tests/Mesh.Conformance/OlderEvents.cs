using System.Text.Json.Nodes;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal;

namespace EventMesh.Conformance;

/// <summary>
/// A change of an event's shape, for tests: as if <c>connection.opened</c> had had a version before the first one, with the address and the port apart and without
/// a direction.
/// </summary>
public static class OlderEvents
{
    /// <summary>What the older program writes and reads.</summary>
    public static EventRegistry Before { get; } =
        new([.. EventRegistry.Default.All.Select(descriptor => descriptor.Type).Where(type => type != typeof(ConnectionOpened)), typeof(OpenedBefore)]);

    /// <summary>What the newer program writes, and reads of both.</summary>
    public static EventRegistry After { get; } = new(
        EventRegistry.Default.All.Select(descriptor => descriptor.Type),
        [
            new EventUpcast("connection.opened", 0, older => new JsonObject
            {
                ["connection"] = older["connection"]!.DeepClone(),
                ["peer"] = older["peer"]!.DeepClone(),
                ["remote"] = $"{older["address"]!.GetValue<string>()}:{older["port"]!.GetValue<int>()}",
                ["direction"] = "inbound",
            }),
        ]);

    /// <summary>An event of the older shape, and what it has to be read as.</summary>
    public static (IMeshEvent Written, ConnectionOpened Read) Sample(PeerId peer)
    {
        var connection = Guid.NewGuid();
        return (
            new OpenedBefore(connection, peer, "192.0.2.7", 4433),
            new ConnectionOpened(connection, peer, System.Net.IPEndPoint.Parse("192.0.2.7:4433"), ConnectionDirection.Inbound));
    }

    [MeshEvent("connection.opened", 0, StreamFamily.Peers)]
    private sealed record OpenedBefore(Guid Connection, PeerId Peer, string Address, int Port) : IMeshEvent;
}
