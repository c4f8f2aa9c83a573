namespace EventMesh.Marten.Store.Internal;

/// <summary>
/// The indexes that find the events of one peer in order of place (docs/adr/0007). A key is a hash of tenant and peer, 8 bytes in place of 88, and the place: an
/// entry has 28 bytes, and what collides is told apart by the row. An event names at most three peers. The first has an index of all events; the
/// second and third, which few kinds of event have, have partial ones.
/// </summary>
/// <remarks>A new event that names its peer in another field needs it here, and the next version of the schema; a test goes over all events.</remarks>
internal static class SubjectIndex
{
    private const string First = "coalesce(data ->> 'peer', data ->> 'expected', data ->> 'observer', data ->> 'predecessor', data ->> 'key')";

    private const string Second = "coalesce(data ->> 'successor', data ->> 'found', data ->> 'known', data ->> 'by')";

    private const string Third = "(data ->> 'claimed')";

    private const string WithSecond =
        "type in ('cache.entry-confirmed.v1', 'node.identity-rotated.v1', 'trust.key-succeeded.v1', 'trust.succession-disputed.v1', 'trust.succession-decided.v1', 'trust.pin-mismatch.v1')";

    private const string WithThird = "type = 'trust.succession-disputed.v1'";

    /// <summary>
    /// SQL: the place, but not as the index on places has it. Otherwise the planner may walk that one for the order and look at each event of the
    /// node for the peer, which it takes for cheap when a page is small: for a peer that came late it is the whole log.
    /// </summary>
    public const string Place = "(((headers ->> 'seq')::bigint) + 0)";

    /// <summary>SQL: for each index, the condition that uses it; $1 is the tenant, $2 the peer.</summary>
    public static IReadOnlyList<string> Conditions { get; } =
    [
        $"{Key(First)} = hashtextextended($2, hashtextextended($1, 0)) and {First} = $2",
        $"{WithSecond} and {Key(Second)} = hashtextextended($2, hashtextextended($1, 0)) and {Second} = $2",
        $"{WithThird} and {Key(Third)} = hashtextextended($2, hashtextextended($1, 0)) and {Third} = $2",
    ];

    /// <summary>SQL: whether a block may have events of the peer $2 of the tenant $1.</summary>
    public const string BlockCondition = "subjects @> array[hashtextextended($2, hashtextextended($1, 0))]";

    /// <summary>SQL: the keys of all peers that the rows of a table name, as the archiver writes them into a block.</summary>
    public static string BlockKeys(string rows) =>
        $"""
        (select coalesce(array_agg(distinct k), array[]::bigint[]) from {rows} cross join lateral (values ({Key(First)}), ({Key(Second)}), ({Key(Third)})) v (k)
            where k is not null)
        """;

    /// <summary>SQL: makes the indexes where they are missing. On a big log that takes its time, once.</summary>
    public static string Create(LogTables tables) =>
        $"""
        create index if not exists mesh_events_subject on {tables.Events} (({Key(First)}), {Place});
        create index if not exists mesh_events_subject_2 on {tables.Events} (({Key(Second)}), {Place}) where {WithSecond};
        create index if not exists mesh_events_subject_3 on {tables.Events} (({Key(Third)}), {Place}) where {WithThird};

        """;

    private static string Key(string peer) => $"hashtextextended({peer}, hashtextextended(tenant_id, 0))";
}
