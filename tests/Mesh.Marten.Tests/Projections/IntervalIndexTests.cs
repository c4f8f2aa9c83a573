using System.Globalization;
using System.Text.RegularExpressions;
using EventMesh.Marten.Projections.Internal;
using EventMesh.Marten.Tests.Fixture;
using Npgsql;
using NpgsqlTypes;
using Shouldly;
using Xunit;
using Sql = EventMesh.Marten.Store.Internal.Sql;

namespace EventMesh.Marten.Tests.Projections;

/// <summary>Over the index are found exactly the intervals that hold a time.</summary>
public sealed partial class IntervalIndexTests(PostgresFixture postgres) : IAsyncLifetime
{
    private static readonly DateTimeOffset Origin = new(2026, 11, 1, 0, 0, 0, TimeSpan.Zero);

    private string _schema = "";
    private NpgsqlConnection _connection = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _schema = postgres.NewSchema();
        _connection = new NpgsqlConnection(postgres.ConnectionString + ";Pooling=false");
        await _connection.OpenAsync(Cancellation);
        await Sql.ExecuteAsync(
            _connection,
            $"""
            create schema {_schema};
            {IntervalIndex.CreateFunctions(_schema)}
            create table {_schema}.t (id int, valid tstzrange);
            {IntervalIndex.Create(_schema, "t", "lower(valid)", "upper(valid)", null)}
            create table {_schema}.c (id int, since timestamptz, until timestamptz);
            {IntervalIndex.Create(_schema, "c", "since", "until", null)}
            set enable_seqscan = off;
            """,
            Cancellation);
    }

    public ValueTask DisposeAsync() => _connection.DisposeAsync();

    [Fact]
    public async Task Of_intervals_of_all_lengths_those_that_hold_a_time_are_found()
    {
        Random random = new(1);
        List<NpgsqlRange<DateTimeOffset>> intervals = [NpgsqlRange<DateTimeOffset>.Empty, Interval(Origin, null)];
        // Each class's longest and shortest, from a microsecond to the calendar's end, and as many of any length between.
        for (double seconds = 1e-6; seconds < 2.4e11; seconds *= 4)
        {
            foreach (double length in (double[])[seconds, seconds - 0.001, seconds - 0.001001, seconds + 1e-6, seconds * (1 + random.NextDouble() * 3)])
            {
                if (length < 1e-6)
                    continue;
                DateTimeOffset from = Origin.AddTicks(random.Next(10_000) * TimeSpan.TicksPerMicrosecond);
                intervals.Add(Interval(from, from.AddTicks((long)Math.Round(length * 1e6) * TimeSpan.TicksPerMicrosecond)));
            }
        }
        await AddAsync(intervals);

        HashSet<DateTimeOffset> times = [Origin.AddYears(-1), Origin, DateTimeOffset.MinValue.AddYears(1), DateTimeOffset.MaxValue.AddYears(-1)];
        foreach (NpgsqlRange<DateTimeOffset> interval in intervals.Where(interval => !interval.IsEmpty && !interval.UpperBoundInfinite))
        {
            TimeSpan length = interval.UpperBound - interval.LowerBound;
            foreach (DateTimeOffset at in (DateTimeOffset[])[interval.LowerBound, interval.UpperBound, interval.LowerBound + (length / 2)])
            {
                foreach (long microseconds in (long[])[-1, 0, 1])
                    times.Add(new DateTimeOffset((at.Ticks / TimeSpan.TicksPerMicrosecond + microseconds) * TimeSpan.TicksPerMicrosecond, TimeSpan.Zero));
            }
        }
        foreach (DateTimeOffset at in times)
        {
            List<int> holding = [.. intervals.Select((interval, id) => (interval, id)).Where(x => Holds(x.interval, at)).Select(x => x.id)];
            (await QueryAsync("t", "holds_at(valid, $1)", at)).ShouldBe(holding, $"{at:O}");
            (await QueryAsync("c", "holds_at(since, until, $1)", at)).ShouldBe(holding, $"{at:O}");
        }
        times.Count.ShouldBeGreaterThan(400);
    }

    [Theory]
    [InlineData("t", "holds_at(valid, now() - interval '1 hour')")]
    [InlineData("c", "holds_at(since, until, timestamptz '2026-11-01')")]
    public async Task The_function_is_written_out_where_it_is_used(string table, string condition)
    {
        string plan = await ExplainAsync($"explain select * from {_schema}.{table} where {_schema}.{condition}");

        plan.ShouldContain($"Bitmap Index Scan on {table}_held");
        plan.ShouldNotContain("holds_at");
        plan.ShouldNotContain("Seq Scan");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(8)]
    public async Task Of_many_intervals_few_are_read_and_the_planner_knows_it(int seconds)
    {
        // Of one length, and all ended: in the table of connections, whose index leaves those that stand out.
        await Sql.ExecuteAsync(
            _connection,
            $"""
            create table {_schema}.many (since timestamptz, until timestamptz);
            {IntervalIndex.Create(_schema, "many", "since", "until", "until is not null")}
            insert into {_schema}.many
                select timestamptz '2026-11-01' + i * interval '4 s', timestamptz '2026-11-01' + i * interval '4 s' + $1 * interval '1 s' from generate_series(1, 200000) i;
            """.Replace("$1", $"{seconds}", StringComparison.Ordinal), Cancellation);
        await Sql.ExecuteAsync(_connection, $"analyze {_schema}.many; reset enable_seqscan", Cancellation);

        for (int i = 0; i < 20; i++)
        {
            string plan = await ExplainAsync(
                $"explain analyze select * from {_schema}.many where until is not null and {_schema}.holds_at(since, until, timestamptz '2026-11-01 00:00:01.5' + interval '{i * 10} hours')");

            plan.ShouldContain("Bitmap Index Scan on many_held");
            Count(RowsRemoved(), plan).ShouldBeLessThan(10, plan);
            // Of millions, what it takes for a hundredth it reads in another way.
            Count(RowsExpected(), plan).ShouldBeLessThan(100, plan);
        }
    }

    [Fact]
    public async Task The_end_of_the_calendar_and_no_time_at_all_are_no_failure()
    {
        await AddAsync([Interval(Origin, null), Interval(Origin, Origin.AddDays(1))]);

        (await QueryAsync("t", "holds_at(valid, 'infinity')")).ShouldBe([0]);
        (await QueryAsync("t", "holds_at(valid, '-infinity')")).ShouldBeEmpty();
        (await QueryAsync("t", "holds_at(valid, null)")).ShouldBeEmpty();
        (await QueryAsync("c", "holds_at(since, until, 'infinity')")).ShouldBe([0]);
        (await QueryAsync("c", "holds_at(since, until, null)")).ShouldBeEmpty();
    }

    private static NpgsqlRange<DateTimeOffset> Interval(DateTimeOffset from, DateTimeOffset? to) => new(from, true, false, to ?? default, false, to is null);

    private static bool Holds(NpgsqlRange<DateTimeOffset> interval, DateTimeOffset at) =>
        !interval.IsEmpty && interval.LowerBound <= at && (interval.UpperBoundInfinite || at < interval.UpperBound);

    private async Task AddAsync(List<NpgsqlRange<DateTimeOffset>> intervals)
    {
        await Sql.AddAsync(
            _connection, $"{_schema}.t", [("id", "integer"), ("valid", "tstzrange")], [.. Enumerable.Range(0, intervals.Count)], id => [id, intervals[id]], Cancellation);
        // What is empty has no begin and holds at no time.
        await Sql.ExecuteAsync(_connection, $"insert into {_schema}.c select id, lower(valid), upper(valid) from {_schema}.t", Cancellation);
    }

    private async Task<string> ExplainAsync(string text) =>
        string.Join('\n', await Sql.QueryAsync(Sql.Command(_connection, text), row => row.GetString(0), Cancellation));

    private static int Count(Regex pattern, string plan) => pattern.Matches(plan).Sum(match => int.Parse(match.Groups["count"].Value, CultureInfo.InvariantCulture));

    [GeneratedRegex(@"Rows Removed by Filter: (?<count>\d+)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex RowsRemoved();

    [GeneratedRegex(@"BitmapOr +\(cost=\S+ rows=(?<count>\d+)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex RowsExpected();

    private Task<List<int>> QueryAsync(string table, string condition, params object[] values) => Sql.QueryAsync(
        Sql.Command(_connection, $"select id from {_schema}.{table} where {_schema}.{condition} order by id", values), row => row.GetInt32(0), Cancellation);
}
