using EventMesh.Identity;
using EventMesh.Sessions.Internal;
using Shouldly;
using Xunit;

namespace EventMesh.Core.Tests.Sessions;

public sealed class TwoSessionsTests
{
    private const int Runs = 1_500;

    [Fact]
    public void After_crossing_dials_closes_checks_and_restarts_both_sides_have_the_same_pair()
    {
        int pairs = 0, links = 0;
        for (int seed = 1; seed <= Runs; seed++)
        {
            var two = new TwoSessions(seed);
            try
            {
                two.Disturb(150);
                two.Settle();
                TwoSessions.Side a = two.Sides[0], b = two.Sides[1];
                foreach (TwoSessions.Side side in two.Sides)
                {
                    side.State.Phase.ShouldBe(SessionPhase.Joined);
                    (side.State.Probe is null && side.State.Retired is null && side.State.Contender is null).ShouldBeTrue("nothing is half done");
                    side.Open.Contains(side.SendOn!.Value).ShouldBeTrue("it sends on an open connection");
                }
                a.State.RemoteInstance.ShouldBe(b.Instance);
                b.State.RemoteInstance.ShouldBe(a.Instance);
                a.State.First!.Connection.ShouldBe(b.State.First!.Connection);
                a.State.First.IsDialer.ShouldBe(!b.State.First.IsDialer);
                a.Open.Order().ShouldBe(b.Open.Order(), "both logs have the same open connections");
                bool areNodes = a.State.LocalKind == PeerKind.Node && b.State.LocalKind == PeerKind.Node;
                a.Open.Count.ShouldBe(areNodes ? 2 : 1, "all can be dialled in the end");
                if (areNodes) a.SendOn.ShouldNotBe(b.SendOn, "each sends on its own");
                pairs += areNodes ? 1 : 0;
                links += areNodes ? 0 : 1;
            }
            catch (Exception e)
            {
                string histories = string.Join("\n--\n", two.Sides.Select(side => string.Join('\n', side.History.TakeLast(40))));
                throw new InvalidOperationException($"Seed {seed}: {e.Message}\n{histories}", e);
            }
        }
        pairs.ShouldBeGreaterThan(Runs / 4);
        links.ShouldBeGreaterThan(Runs / 4);
    }
}
