using EventMesh.Sessions.Internal;
using Shouldly;
using Xunit;

namespace EventMesh.Core.Tests.Sessions;

public sealed class PeerSessionTransitionTests
{
    private const int Walks = 2_000;
    private const int Steps = 60;
    private const int LooksPerState = 3;

    [Fact]
    public void Whatever_comes_in_whatever_state_the_session_stays_sound()
    {
        Dictionary<string, int> states = [];
        HashSet<string> transitions = [];
        for (int seed = 1; seed <= Walks; seed++)
        {
            var walk = new SessionWalk(seed);
            try
            {
                for (int step = 0; step < Steps; step++)
                {
                    string state = SessionWalk.Shape(walk.State);
                    int looks = states[state] = states.GetValueOrDefault(state) + 1;
                    if (looks <= LooksPerState) TryEverything(walk, state, seed + looks, transitions);
                    walk.Step(walk.NextInput());
                }
                walk.Finish();
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"Seed {seed}: {e.Message}", e);
            }
        }

        states.Keys.ShouldContain("Joined/theirs-Standing reverse probe retired spent contender", "the walks come far");
        TestContext.Current.SendDiagnosticMessage($"{states.Count} kinds of states, {transitions.Count} transitions.");
        states.Keys.SelectMany(_ => SessionWalk.InputKinds, (state, kind) => $"{state} + {kind}").Except(transitions)
            .ShouldBeEmpty("every input meets every state");
    }

    /// <summary>Goes on from here with each kind of input, several times, and to the end.</summary>
    private static void TryEverything(SessionWalk walk, string state, int seed, HashSet<string> transitions)
    {
        foreach (string kind in SessionWalk.InputKinds)
        {
            for (int variant = 0; variant < 8; variant++)
            {
                var other = new SessionWalk(walk, (seed * 31) + variant);
                other.AttachStranger();
                if (other.InputOf(kind) is not { } input) continue;
                transitions.Add($"{state} + {kind}");
                other.Step(input);
                other.Finish();
            }
        }
    }
}
