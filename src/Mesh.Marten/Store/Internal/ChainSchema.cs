namespace EventMesh.Marten.Store.Internal;

/// <summary>What the chain over each node's log needs of the schema, beside the header of each event.</summary>
internal static class ChainSchema
{
    /// <summary>The key of a header in Marten's event row: the link of the chain, base64.</summary>
    public const string HashHeader = "hash";

    /// <summary>The digest of the content that an event was recorded with, where it was erased since; base64.</summary>
    public const string WasHeader = "was";

    /// <summary>Where it was erased: the erasures in order, each with the place of its event and the digest of the content that it left.</summary>
    public const string ErasedHeader = "erased";

    public static string Create(LogTables tables) =>
        $"""
        alter table {tables.Nodes} add column if not exists hash bytea, add column if not exists chained_from bigint;
        comment on column {tables.Nodes}.hash is 'The link of the chain at the last place; null while no event has one.';
        comment on column {tables.Nodes}.chained_from is 'The place of the first event with a link: 1, unless the log is older than the chain.';

        """;
}
