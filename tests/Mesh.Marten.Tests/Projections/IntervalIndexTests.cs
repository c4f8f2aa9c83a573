using EventMesh.Marten.Projections.Internal;
using EventMesh.Marten.Tests.Fixture;
using Npgsql;
using NpgsqlTypes;
using Shouldly;
using Xunit;
using Sql = EventMesh.Marten.Store.Internal.Sql;

namespace EventMesh.Marten.Tests.Projections;

/// <summary>Over the index are found exactly the intervals that hold a time.</summary>
public sealed class IntervalIndexTests(PostgresFixture postgres) : IAsyncLifetime
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
            create table {_schema}.t (id int, valid tstzrange, since timestamptz, until timestamptz);
            create index t_held on {_schema}.t ({IntervalIndex.Columns("lower(valid)", "upper(valid)")});
            create index t_stood on {_schema}.t ({IntervalIndex.Columns("since", "until")});
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
            (await QueryAsync("holds_at(valid, $1)", at)).ShouldBe(holding, $"{at:O}");
            (await QueryAsync("holds_at(since, until, $1)", at)).ShouldBe(holding, $"{at:O}");
        }
        times.Count.ShouldBeGreaterThan(400);
    }

    [Theory]
    [InlineData("holds_at(valid, now() - interval '1 hour')", "t_held")]
    [InlineData("holds_at(since, until, timestamptz '2026-11-01')", "t_stood")]
    public async Task The_function_is_written_out_where_it_is_used(string condition, string index)
    {
        string plan = string.Join('\n', await Sql.QueryAsync(
            Sql.Command(_connection, $"explain select * from {_schema}.t where {_schema}.{condition}"), row => row.GetString(0), Cancellation));

        plan.ShouldContain($"Bitmap Index Scan on {index}");
        plan.ShouldNotContain("holds_at");
        plan.ShouldNotContain("Seq Scan");
    }

    [Fact]
    public async Task The_end_of_the_calendar_and_no_time_at_all_are_no_failure()
    {
        await AddAsync([Interval(Origin, null), Interval(Origin, Origin.AddDays(1))]);

        (await QueryAsync("holds_at(valid, 'infinity')")).ShouldBe([0]);
        (await QueryAsync("holds_at(valid, '-infinity')")).ShouldBeEmpty();
        (await QueryAsync("holds_at(valid, null)")).ShouldBeEmpty();
        (await QueryAsync("holds_at(since, until, 'infinity')")).ShouldBe([0]);
        (await QueryAsync("holds_at(since, until, null)")).ShouldBeEmpty();
    }

    private static NpgsqlRange<DateTimeOffset> Interval(DateTimeOffset from, DateTimeOffset? to) => new(from, true, false, to ?? default, false, to is null);

    private static bool Holds(NpgsqlRange<DateTimeOffset> interval, DateTimeOffset at) =>
        !interval.IsEmpty && interval.LowerBound <= at && (interval.UpperBoundInfinite || at < interval.UpperBound);

    private async Task AddAsync(List<NpgsqlRange<DateTimeOffset>> intervals)
    {
        await Sql.AddAsync(
            _connection, $"{_schema}.t", [("id", "integer"), ("valid", "tstzrange")], [.. Enumerable.Range(0, intervals.Count)], id => [id, intervals[id]], Cancellation);
        // What is empty has no begin and holds at no time.
        await Sql.ExecuteAsync(_connection, $"update {_schema}.t set since = lower(valid), until = upper(valid)", Cancellation);
    }

    private Task<List<int>> QueryAsync(string condition, params object[] values) => Sql.QueryAsync(
        Sql.Command(_connection, $"select id from {_schema}.t where {_schema}.{condition} order by id", values), row => row.GetInt32(0), Cancellation);
}
