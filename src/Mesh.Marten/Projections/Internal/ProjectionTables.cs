namespace EventMesh.Marten.Projections.Internal;

/// <summary>The tables that all projections share.</summary>
internal static class ProjectionTables
{
    public static string Create(string schema) =>
        $"""
        create table if not exists {schema}.projection (
            name text primary key,
            generation int not null);
        -- Which version of the schema the program had that made the generation, and the one beside it that a rebuild fills.
        alter table {schema}.projection add column if not exists made_by int not null default 1, add column if not exists building int,
            add column if not exists building_by int, add column if not exists building_build uuid;
        comment on table {schema}.projection is 'Which generation of its tables each projection''s views show.';
        create table if not exists {schema}.projection_position (
            name text not null,
            generation int not null,
            tenant_id varchar not null,
            node_seq bigint not null,
            primary key (name, generation, tenant_id));
        alter table {schema}.projection_position add column if not exists paused_reason text, add column if not exists paused_at timestamptz;
        comment on table {schema}.projection_position is 'Up to which place of each node''s log a projection has folded.';

        """ + string.Concat(LogProjection.All(schema).Select(projection => projection.CreateFirst()));

    /// <summary>SQL: what finds the past in the tables of projections, also in those that an older version made with an index on ranges.</summary>
    public static string CreateIntervals(string schema) =>
        IntervalIndex.CreateFunctions(schema) + string.Concat(LogProjection.All(schema).Select(projection => projection.ReplaceRangeIndex()));
}
