using System.Collections.Concurrent;
using System.Globalization;
using System.Reflection;
using EventMesh.Events;

namespace EventMesh.Projections;

/// <summary>Which month the monthly streams, <c>peers</c> and <c>cache</c>, have come to.</summary>
/// <param name="Month">The first day of the month of the last event of either; null before the first.</param>
public sealed record SegmentState(DateOnly? Month)
{
    private static readonly ConcurrentDictionary<Type, bool> Monthly = new();

    /// <summary>Before the first event.</summary>
    public static SegmentState Empty { get; } = new((DateOnly?)null);

    /// <summary>The first day of a time's month, of UTC.</summary>
    public static DateOnly MonthOf(DateTimeOffset time) => new(time.UtcDateTime.Year, time.UtcDateTime.Month, 1);

    /// <summary>A month as it is in events and streams: <c>2026-11</c>.</summary>
    public static string NameOf(DateOnly month) => month.ToString("yyyy-MM", CultureInfo.InvariantCulture);

    /// <summary>Whether events of this kind stand in monthly streams.</summary>
    public static bool IsMonthly(IMeshEvent data)
    {
        ArgumentNullException.ThrowIfNull(data);
        return Monthly.GetOrAdd(
            data.GetType(), static type => type.GetCustomAttribute<MeshEventAttribute>()?.Family is StreamFamily.Peers or StreamFamily.Cache);
    }

    /// <summary>The months after one more event. Pure.</summary>
    public static SegmentState Apply(SegmentState state, RecordedEvent recorded)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(recorded);
        if (!IsMonthly(recorded.Data))
            return state;
        DateOnly month = MonthOf(recorded.Time);
        return month == state.Month ? state : new SegmentState(month);
    }
}
