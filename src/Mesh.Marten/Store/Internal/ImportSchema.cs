namespace EventMesh.Marten.Store.Internal;

/// <summary>What marks an imported log, and keeps nodes from appending to it.</summary>
internal static class ImportSchema
{
    /// <summary>The state of a log while its import is under way.</summary>
    public const string UnderWay = "under way";

    /// <summary>The state of a log that was imported.</summary>
    public const string Done = "done";

    /// <summary>SQL: whether a log is whole. One that is not may be removed again, so that projections don't follow it.</summary>
    public const string IsWhole = $"imported is distinct from '{UnderWay}'";

    /// <summary>What the database says to whoever would append to an imported log.</summary>
    public const string RefusedState = "EM001";

    /// <summary>SQL: the mark and its guard.</summary>
    public static string Create(LogTables tables) =>
        $"""
        alter table {tables.Nodes} add column if not exists imported text check (imported in ('{UnderWay}', '{Done}'));
        comment on column {tables.Nodes}.imported is 'Null for the log of a node that writes here; else how far its import is.';
        create or replace function {tables.Schema}.refuse_imported() returns trigger language plpgsql as $guard$
        begin
            raise exception 'The log of node % was imported for analysis: no node may append to it.', old.tenant_id using errcode = '{RefusedState}';
        end $guard$;
        drop trigger if exists refuse_imported on {tables.Nodes};
        create trigger refuse_imported before update on {tables.Nodes} for each row when (old.imported = '{Done}') execute function {tables.Schema}.refuse_imported();

        """;
}
