using System.Net;
using EventMesh.Events;
using EventMesh.Host.Endpoints;
using EventMesh.Host.Events;
using EventMesh.Identity;
using EventMesh.Tests.Common.Hosting;

namespace EventMesh.Host.Tests.Events;

public sealed class EventLineTests
{
    [Fact]
    public void A_line_has_place_name_and_fields_with_short_identities()
    {
        string line = EventLine.Format(View(new BootstrapSucceeded(
            BootstrapSource.Cache, FakeMesh.PeerOf(7), new IPEndPoint(IPAddress.Loopback, 9), 2, TimeSpan.FromSeconds(1))));
        line.ShouldStartWith("     1  1970-01-01 00:00:01.000Z  node.bootstrap-succeeded.v1");
        line.ShouldContain("source=cache");
        line.ShouldContain($"peer={FakeMesh.PeerOf(7).ToShortString()} ");
        line.ShouldContain("endpoint=127.0.0.1:9");
    }

    [Fact]
    public void What_a_peer_says_of_itself_cannot_control_the_terminal() =>
        EventLine.Format(View(new PeerJoined(FakeMesh.PeerOf(1), Guid.Empty, PeerKind.Node, [], "\u001b[2J\nforged"))).Any(char.IsControl).ShouldBeFalse();

    private static EventView View(IMeshEvent data) => EventViews.From(new FakeNodeLog().Record(data));
}
