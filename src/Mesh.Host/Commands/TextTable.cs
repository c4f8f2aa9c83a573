using System.Globalization;
using Spectre.Console;

namespace EventMesh.Host.Commands;

/// <summary>Plain tables for people.</summary>
internal static class TextTable
{
    /// <summary>A table with these columns.</summary>
    public static Table Create(params string[] columns)
    {
        Table table = new Table().Border(TableBorder.None);
        foreach (string column in columns) table.AddColumn(new TableColumn(new Text(column, new Style(decoration: Decoration.Bold))).PadRight(2).NoWrap());
        return table;
    }

    /// <summary>Adds a row of plain text: what a peer says of itself is never read as markup or as control characters of the terminal.</summary>
    public static void AddTextRow(this Table table, params string[] cells) => table.AddRow(cells.Select(c => new Text(Printable(c))));

    /// <summary>A time for people, in UTC.</summary>
    public static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary>A member of an enumeration as it is written in JSON and configuration.</summary>
    public static string Name<T>(T value)
        where T : struct, Enum
    {
        string name = value.ToString();
        return char.ToLowerInvariant(name[0]) + name[1..];
    }

    /// <summary>The text with control characters replaced.</summary>
    public static string Printable(string text) =>
        text.Any(char.IsControl) ? string.Concat(text.Select(c => char.IsControl(c) ? '\uFFFD' : c)) : text;
}
