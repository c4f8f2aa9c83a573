using System.Net;
using EventMesh.Bootstrap.Internal;
using EventMesh.Core.Tests.Journal;
using EventMesh.Events;
using EventMesh.Projections;
using Shouldly;
using Xunit;

namespace EventMesh.Core.Tests.Bootstrap;

public sealed class ObservedDecisionsTests
{
    private static readonly IPEndPoint Ours = IPEndPoint.Parse("203.0.113.5:4433");
    private static readonly IPEndPoint Victim = IPEndPoint.Parse("198.51.100.9:53");

    [Fact]
    public void Three_peers_in_different_networks_are_believed() =>
        ObservedDecisions.Agreed([Claim(1, "20.0.1.1", Ours), Claim(2, "20.0.2.1", Ours), Claim(3, "20.0.3.1", Ours)])!.Endpoint.ShouldBe(Ours);

    [Fact]
    public void Any_number_of_peers_in_two_networks_is_not() =>
        ObservedDecisions.Agreed([.. Enumerable.Range(1, 100).Select(i => Claim(i, $"20.0.{i % 2}.{i}", Victim))]).ShouldBeNull();

    [Fact]
    public void Liars_do_not_keep_the_truth_from_being_believed() =>
        ObservedDecisions.Agreed(
        [
            Claim(1, "20.0.1.1", Victim), Claim(2, "20.0.1.2", Victim), Claim(3, "20.0.1.3", Victim), Claim(4, "20.0.1.4", Victim),
            Claim(5, "20.0.2.1", Ours), Claim(6, "20.0.3.1", Ours), Claim(7, "20.0.4.1", Ours),
        ])!.Endpoint.ShouldBe(Ours);

    [Fact]
    public void What_is_known_already_needs_no_proof()
    {
        ObservedClaim[] claims = [Claim(1, "20.0.1.1", Ours), Claim(2, "20.0.1.2", Ours), Claim(3, "20.0.1.3", Victim)];
        ObservedDecisions.Unproven(claims, known: null).ShouldBe(Ours);
        ObservedDecisions.Unproven(claims, known: Ours).ShouldBe(Victim);
        ObservedDecisions.Unproven([], known: null).ShouldBeNull();
    }

    [Fact]
    public void An_endpoint_is_recorded_once()
    {
        IMeshEvent observed = ObservedDecisions.Observed(MeshState.Empty, Claim(1, "20.0.1.1", Ours)).ShouldHaveSingleItem();
        observed.ShouldBe(new EndpointObserved(Ours, EventSamples.Peer(1)));
        MeshState state = MeshState.Apply(MeshState.Empty, new RecordedEvent(Guid.Empty, 1, 1, DateTimeOffset.UnixEpoch, observed, null));
        ObservedDecisions.Observed(state, Claim(2, "20.0.1.1", Ours)).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("203.0.113.5:4433", true)]
    [InlineData("203.0.113.5:5000", true)]
    [InlineData("203.0.113.5:22", false)]
    [InlineData("203.0.113.6:4433", false)]
    [InlineData("198.51.100.9:4433", false)]
    public void A_dial_back_goes_only_to_the_asker_and_to_ports_that_it_uses_or_has_announced(string asked, bool may) =>
        ObservedDecisions.MayDialBack(IPEndPoint.Parse(asked), IPEndPoint.Parse("203.0.113.5:5000"), [4433u]).ShouldBe(may);

    private static ObservedClaim Claim(int peer, string from, IPEndPoint endpoint) => new(EventSamples.Peer(peer), IPAddress.Parse(from), endpoint);
}
