namespace EventMesh.Host.Demo;

/// <summary>What <c>mesh demo --exit --output json</c> prints.</summary>
/// <param name="Nodes">How many processes took part.</param>
/// <param name="Transport">The QUIC provider that they used.</param>
/// <param name="Store">The kind of event store.</param>
/// <param name="Joined">Whether each node joined each other.</param>
/// <param name="MessagesSent">Messages sent, all pairs and both ways, not counting the replies of the plugin.</param>
/// <param name="MessagesReceived">Those that arrived exactly once, and whose reply arrived exactly once.</param>
/// <param name="RejoinedFromCache">Whether the killed node came back from its bootstrap cache alone.</param>
/// <param name="Events">Events in the three logs.</param>
/// <param name="Seconds">How long it took.</param>
internal sealed record DemoResult(
    int Nodes, string Transport, string Store, bool Joined, int MessagesSent, int MessagesReceived, bool RejoinedFromCache, int Events, double Seconds);
