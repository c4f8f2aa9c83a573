using System.Globalization;

namespace EventMesh.Marten.Projections.Internal;

/// <summary>
/// SQL: finds the intervals that hold a time, over a B-tree. Intervals are sorted into classes by their length, each four times as long as the one before; those of a class that
/// hold a time began no longer before it than they may last, which is a range of the index. So a time is found by one such range for each class, and at most
/// some times as many entries are read as hold it. A GiST index on ranges finds the same, and takes ten times as long to be kept (docs/adr/0010).
/// </summary>
internal static class IntervalIndex
{
    // From 4 ms to longer than the calendar.
    private const int FirstClass = -4;
    private const int LastClass = 20;

    // Of the longest ones the calendar has no begin any more: 4713 BC is the first year of a timestamp.
    private const int LastBoundedClass = 18;

    private const int Ratio = 4;

    /// <summary>
    /// Makes the index of a table whose intervals go from one expression to another, of which the second may be null: then the class is. And statistics of how long they are:
    /// the planner does not use those of an index that leaves rows out, and without any may read half of the table for a handful of rows.
    /// </summary>
    /// <param name="schema">The schema.</param>
    /// <param name="table">The table's name.</param>
    /// <param name="from">Where an interval begins.</param>
    /// <param name="to">Where it ends.</param>
    /// <param name="condition">Which rows it has; null for all.</param>
    public static string Create(string schema, string table, string from, string to, string? condition) =>
        $"""
        create index if not exists {table}_held on {schema}.{table} (({Class(from, to)}), {from}){(condition is null ? "" : $" where {condition}")};
        create statistics if not exists {schema}.{table}_lengths (ndistinct) on ({Class(from, to)}), {from} from {schema}.{table};

        """;

    /// <summary>
    /// The functions <c>holds_at</c>: whether an interval holds a time. They are written out where they are used, so that an index on its columns serves them: their arguments
    /// are columns, constants and parameters.
    /// </summary>
    public static string CreateFunctions(string schema) =>
        $"""
        create or replace function {schema}.holds_at(valid tstzrange, at timestamptz) returns bool language sql stable parallel safe as $mesh$
            select valid @> at and ({Began("lower(valid)", "upper(valid)", "at")})
        $mesh$;
        comment on function {schema}.holds_at(tstzrange, timestamptz) is 'Whether a version held at a time: valid @> at, over an index.';
        create or replace function {schema}.holds_at(since timestamptz, until timestamptz, at timestamptz) returns bool language sql stable parallel safe as $mesh$
            select since <= at and (until is null or until > at) and ({Began("since", "until", "at")})
        $mesh$;
        comment on function {schema}.holds_at(timestamptz, timestamptz, timestamptz) is
            'Whether what was from one time, included, until another, excluded or null, was at a time, over an index.';

        """;

    // The millisecond keeps the logarithm of next to nothing finite, and the class on the safe side of its rounding.
    private static string Class(string from, string to) => $"ceil(ln(date_part('epoch', {to} - {from}) + 0.001::float8) / ln({Ratio}::float8))::int";

    private static string Began(string from, string to, string at) => string.Concat(
        Enumerable.Range(FirstClass, LastClass - FirstClass + 1)
            .Select(length => $"\n        or ({Class(from, to)} = {length} and {from} > {Earliest(at, length)} and {from} <= {at})")
            .Prepend($"{Class(from, to)} is null"));

    private static string Earliest(string at, int length) => length > LastBoundedClass
        ? "'-infinity'"
        : $"{at} - interval '{Math.Ceiling(Math.Pow(Ratio, length) * 1_000_000).ToString("F0", CultureInfo.InvariantCulture)} microseconds'";
}
