using System.Globalization;
using System.Text;
using System.Text.Json;
using EventMesh.Events;
using EventMesh.Journal.Internal;
using EventMesh.Marten.Store.Internal;
using EventMesh.Marten.Tests.Fixture;
using Npgsql;
using NpgsqlTypes;
using Shouldly;
using Xunit;

namespace EventMesh.Marten.Tests.Audit;

/// <summary>An event has the same canonical form before PostgreSQL has it and after: jsonb changes the order, the white space and the text of numbers.</summary>
public sealed class CanonicalJsonbTests(PostgresFixture postgres)
{
    [Fact]
    public async Task Any_event_of_a_plugin_has_the_same_form_when_it_comes_back()
    {
        int seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Random(seed);
        List<byte[]> recorded = [];
        while (recorded.Count < 2000)
        {
            using JsonDocument document = JsonDocument.Parse(RandomJson(random, 0));
            if (CanonicalJson.WhatIsLost(document.RootElement) is null)
                recorded.Add(EventSerializer.Serialize(new PluginEvent("p\0\u2028<", "n", document.RootElement.Clone())));
        }

        List<byte[]> stored = await RoundTripAsync(recorded);

        stored.Count.ShouldBe(recorded.Count);
        for (int i = 0; i < recorded.Count; i++)
            Canonical(stored[i]).ShouldBe(Canonical(recorded[i]), Encoding.UTF8.GetString(recorded[i]));
    }

    [Theory]
    [InlineData("[1.0, 1E2, -0, -0.0, 1e21, 1e-7, 5e-324, 1.7976931348623157e308, 0.30000000000000004, 100e-2]")]
    [InlineData("""{"aa":1,"b":2,"b":{"z":1,"y":1},"a":3}""")]
    [InlineData("\"\\u0041\\/\\ud83d\\ude00\\u007f\\u001f\\\\u0000\"")]
    public async Task The_texts_that_jsonb_changes_keep_their_form(string json)
    {
        byte[] recorded = Encoding.UTF8.GetBytes(json);

        byte[] stored = (await RoundTripAsync([recorded]))[0];

        Canonical(stored).ShouldBe(Canonical(recorded));
    }

    private static string Canonical(byte[] json) => Encoding.UTF8.GetString(CanonicalJson.Of(json));

    private async Task<List<byte[]>> RoundTripAsync(IReadOnlyList<byte[]> documents)
    {
        await using var connection = new NpgsqlConnection(postgres.ConnectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand("select data from unnest($1) with ordinality as t (data, place) order by place", connection)
        {
            Parameters = { new() { Value = documents.ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Jsonb } },
        };
        List<byte[]> back = [];
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(TestContext.Current.CancellationToken);
        while (await reader.ReadAsync(TestContext.Current.CancellationToken))
            back.Add(reader.GetFieldValue<byte[]>(0));
        return back;
    }

    private static string RandomJson(Random random, int depth) => random.Next(depth > 4 ? 4 : 6) switch
    {
        0 => RandomNumber(random),
        1 or 2 => RandomText(random),
        3 => random.Next(3) switch { 0 => "null", 1 => "true", _ => "false" },
        4 => "[" + string.Join(" , ", Enumerable.Range(0, random.Next(5)).Select(_ => RandomJson(random, depth + 1))) + "]",
        _ => "{" + string.Join(",", Enumerable.Range(0, random.Next(7)).Select(_ => RandomText(random) + " :" + RandomJson(random, depth + 1))) + "}",
    };

    private static string RandomNumber(Random random)
    {
        double any = BitConverter.Int64BitsToDouble(random.NextInt64(long.MinValue, long.MaxValue));
        return random.Next(6) switch
        {
            0 => random.Next(-1000, 1000).ToString(CultureInfo.InvariantCulture),
            1 => random.NextInt64().ToString(CultureInfo.InvariantCulture),
            2 => $"{random.Next(-99, 99)}.{random.Next(0, 999):D3}0e{random.Next(-30, 30)}",
            3 => "-0.00",
            _ => double.IsFinite(any) ? any.ToString(CultureInfo.InvariantCulture) : "1e22",
        };
    }

    // Short, so that names occur twice; every kind of character that is written in more than one way.
    private static string RandomText(Random random)
    {
        string[] parts = ["a", "b", "é", "\\u00e9", "\\n", "\\u000a", "\\u0000", "\\\\", "\\\\u0000", "\\\"", "\\/", "/", "<", "\\u003c", "\U0001F600", "\\ud83d\\ude00", "\ufb33", "\u007f", "\\u001f"];
        return "\"" + string.Concat(Enumerable.Range(0, random.Next(3)).Select(_ => parts[random.Next(parts.Length)])) + "\"";
    }
}
