namespace EventMesh.Host.Bench;

/// <summary>What counts of several figures of the same kind.</summary>
internal static class Samples
{
    /// <summary>The middle one; of an even number the upper.</summary>
    public static double Median(this IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }
}
