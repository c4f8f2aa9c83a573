using System.Globalization;
using System.Text.RegularExpressions;
using Shouldly;
using Xunit;
using Xunit.Sdk;

namespace EventMesh.Adversary.Fuzzing;

/// <summary>Every decoder gives a value or its one documented refusal, for a bounded price, whatever the bytes. docs/testing.md says how to replay.</summary>
public sealed class DecoderFuzzing(ITestOutputHelper output)
{
    private const ulong DefaultSeed = 20_261_122;
    private const int ShortRun = 10_000;

    public static TheoryData<string> Targets { get; } = [.. FuzzTargets.All.Select(target => target.Name)];

    [Theory, MemberData(nameof(Targets))]
    public async Task A_few_inputs(string target)
    {
        if (Environment.GetEnvironmentVariable("EVENTMESH_FUZZ_REPLAY")?.Split(':') is [var name, var seed, var number] && name == target)
        {
            await new Fuzzer(Find(target), ulong.Parse(seed, CultureInfo.InvariantCulture))
                .RunAsync(long.Parse(number, CultureInfo.InvariantCulture), 1);
            return;
        }
        FuzzReport report = await new Fuzzer(Find(target), DefaultSeed).RunAsync(0, ShortRun);

        output.WriteLine(report.ToString());
        // Neither refuses everything nor takes everything, or the inputs would prove nothing.
        report.Accepted.ShouldBeGreaterThan(ShortRun / 1000);
        report.Accepted.ShouldBeLessThan(ShortRun);
    }

    [Fact]
    public async Task As_many_inputs_as_the_environment_asks_for()
    {
        long inputs = Number("EVENTMESH_FUZZ_INPUTS") ?? 20_000;
        ulong seed = (ulong?)Number("EVENTMESH_FUZZ_SEED") ?? DefaultSeed;
        long each = (inputs + FuzzTargets.All.Count - 1) / FuzzTargets.All.Count;
        List<FuzzReport> reports = [];
        foreach (FuzzTarget target in FuzzTargets.All)
        {
            // Another range than the short run's.
            FuzzReport report = await new Fuzzer(target, seed).RunAsync(ShortRun, each);
            reports.Add(report);
            output.WriteLine(report.ToString());
        }
        output.WriteLine($"seed {seed}: {reports.Sum(r => r.Inputs)} inputs, {reports.Sum(r => r.Elapsed.TotalSeconds):F1} s");
        reports.Sum(report => report.Inputs).ShouldBeGreaterThanOrEqualTo(inputs);
    }

    [Fact]
    public async Task A_finding_names_what_replays_it()
    {
        var faulty = new FuzzTarget("faulty", [[1, 2, 3]], input => input.Length != 5 ? true : throw new InvalidOperationException("a fault"));

        XunitException finding = await Should.ThrowAsync<XunitException>(() => new Fuzzer(faulty, 77).RunAsync(0, 1000));

        Match replay = Regex.Match(finding.Message, "EVENTMESH_FUZZ_REPLAY=faulty:77:(?<number>[0-9]+)", RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(10));
        await Should.ThrowAsync<XunitException>(() => new Fuzzer(faulty, 77).RunAsync(long.Parse(replay.Groups["number"].Value, CultureInfo.InvariantCulture), 1));
    }

    [Fact]
    public async Task A_decoder_that_allocates_what_it_is_told_is_found()
    {
        var greedy = new FuzzTarget("greedy", [[1, 2, 3]], input => input.Length == 0 || new byte[input.Span[0] * 10_000].Length >= 0);

        (await Should.ThrowAsync<XunitException>(() => new Fuzzer(greedy, 77).RunAsync(0, 1000))).Message.ShouldContain("allocated");
    }

    [Fact]
    public void The_same_seed_makes_the_same_inputs()
    {
        FuzzTarget target = Find("hello");
        var first = new Mutator(target.Corpus, 1);
        var second = new Mutator(target.Corpus, 1);
        var other = new Mutator(target.Corpus, 2);
        byte[][] inputs = [.. Enumerable.Range(0, 100).Select(i => first.Make(i).ToArray())];

        // In another order too: an input does not depend on those before it.
        Enumerable.Range(0, 100).Reverse().Count(i => second.Make(i).Span.SequenceEqual(inputs[i])).ShouldBe(100);
        Enumerable.Range(0, 100).Count(i => other.Make(i).Span.SequenceEqual(inputs[i])).ShouldBeLessThan(20);
    }

    private static FuzzTarget Find(string name) => FuzzTargets.All.Single(target => target.Name == name);

    private static long? Number(string variable) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } text ? long.Parse(text, CultureInfo.InvariantCulture) : null;
}
