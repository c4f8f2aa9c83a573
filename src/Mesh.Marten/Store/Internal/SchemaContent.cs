using System.Text.RegularExpressions;
using Npgsql;

namespace EventMesh.Marten.Store.Internal;

/// <summary>
/// What statements make, by name, compared with what is there. It reads the statements themselves, so that no part of the schema has to describe itself
/// a second time; of what it can't see (bodies of functions, types of columns) the version speaks.
/// </summary>
internal static partial class SchemaContent
{
    /// <summary>What the parts name and the database does not have.</summary>
    public static async Task<IReadOnlyList<string>> FindMissingAsync(
        NpgsqlConnection connection, LogTables tables, IEnumerable<SchemaPart> parts, CancellationToken cancellationToken)
    {
        HashSet<string> present = [.. await Sql.QueryAsync(
            Sql.Command(
                connection,
                """
                select case c.relkind when 'i' then 'index ' when 'I' then 'index ' when 'v' then 'view ' when 'm' then 'view ' when 'S' then 'sequence ' else 'table ' end || c.relname
                from pg_class c where c.relnamespace = to_regnamespace($1)
                union all
                select 'column ' || c.relname || '.' || a.attname
                from pg_class c join pg_attribute a on a.attrelid = c.oid
                where c.relnamespace = to_regnamespace($1) and c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped
                union all
                select 'function ' || p.proname from pg_proc p where p.pronamespace = to_regnamespace($1)
                union all
                select 'trigger ' || t.tgname from pg_trigger t join pg_class c on c.oid = t.tgrelid where c.relnamespace = to_regnamespace($1) and not t.tgisinternal
                """,
                tables.Schema),
            row => row.GetString(0), cancellationToken).ConfigureAwait(false)];
        return [.. parts.SelectMany(part => Read(part.Sql, tables.Schema)).Distinct(StringComparer.Ordinal).Where(name => !present.Contains(name)).Select(name => $"missing: {name}")];
    }

    /// <summary>The names that statements make: <c>table node_log</c>, <c>column node_log.epoch</c>, <c>view peer_directory</c>.</summary>
    internal static IEnumerable<string> Read(string sql, string schema)
    {
        string text = Comment().Replace(sql, "");
        // In a block is what is made under a condition: the first generation of a projection's table, which is gone after a rebuild. Its views stay.
        string always = Block().Replace(text, "");
        foreach (Match match in View().Matches(text))
            yield return "view " + match.Groups["name"].Value;
        foreach (Match match in Other().Matches(always))
            yield return $"{match.Groups["kind"].Value} {match.Groups["name"].Value}".ToLowerInvariant();
        foreach (Match match in Table().Matches(always).Where(match => match.Groups["schema"].Value == schema))
        {
            string table = match.Groups["name"].Value;
            yield return "table " + table;
            foreach (string column in Columns(always, match.Index + match.Length))
                yield return $"column {table}.{column}";
        }
        foreach (Match match in AddedColumn().Matches(always))
            yield return $"column {match.Groups["name"].Value}.{match.Groups["column"].Value}";
    }

    /// <summary>The names of the indexes that statements make.</summary>
    internal static IEnumerable<string> ReadIndexes(string sql) =>
        Other().Matches(Comment().Replace(sql, "")).Where(match => match.Groups["kind"].Value == "index").Select(match => match.Groups["name"].Value);

    // From after the opening parenthesis to its end, cut at the commas outside of inner ones.
    private static IEnumerable<string> Columns(string text, int start)
    {
        int depth = 0;
        bool isFirst = true;
        for (int at = start; at < text.Length && depth >= 0; at++)
        {
            if (isFirst && char.IsLetter(text[at]))
            {
                isFirst = false;
                string word = string.Concat(text.Skip(at).TakeWhile(c => char.IsLetterOrDigit(c) || c == '_'));
                if (word is not ("primary" or "unique" or "constraint" or "check" or "exclude" or "foreign" or "like"))
                    yield return word;
            }
            depth += text[at] switch
            {
                '(' => 1,
                ')' => -1,
                _ => 0,
            };
            isFirst |= depth == 0 && text[at] == ',';
        }
    }

    private const RegexOptions Options = RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture;

    [GeneratedRegex(@"--[^\n]*", Options)]
    private static partial Regex Comment();

    [GeneratedRegex(@"\bdo \$(?<tag>\w*)\$.*?\$\k<tag>\$", Options | RegexOptions.Singleline)]
    private static partial Regex Block();

    [GeneratedRegex(@"\bcreate (or replace )?view (\w+\.)?(?<name>\w+)", Options)]
    private static partial Regex View();

    [GeneratedRegex(@"\bcreate (or replace |unique )?(?<kind>index|function|sequence|trigger) (concurrently )?(if not exists )?(\w+\.)?(?<name>\w+)", Options)]
    private static partial Regex Other();

    [GeneratedRegex(@"\bcreate (unlogged )?table (if not exists )?(?<schema>\w+)\.(?<name>\w+)\s*\(", Options)]
    private static partial Regex Table();

    [GeneratedRegex(@"\balter table (if exists )?(only )?\w+\.(?<name>\w+)\s+add column (if not exists )?(?<column>\w+)", Options)]
    private static partial Regex AddedColumn();
}
