using System.ComponentModel;
using System.Globalization;
using System.Reflection;
using EventMesh.Host.Tests.Support;
using EventMesh.Marten;
using EventMesh.Node;
using EventMesh.Plugins;

namespace EventMesh.Host.Tests.Hosting;

/// <summary>docs/configuration.md has each option, with its environment form and its default, and no other.</summary>
public sealed class ConfigurationDocumentTests
{
    private readonly string[] _rows =
        [.. RepositoryFiles.Read("docs/configuration.md").Split('\n').Where(l => l.StartsWith("| `EventMesh:", StringComparison.Ordinal))];

    public static TheoryData<string, string> Options
    {
        get
        {
            TheoryData<string, string> data = [];
            foreach ((string key, string value) in
                Read("EventMesh", new MeshOptions()).Concat(Read(MeshStoreOptions.SectionName, new MeshStoreOptions())).Concat(Read(PluginOptions.SectionName, new PluginOptions()))
                    .Concat(Read(MeshRetentionOptions.SectionName, new MeshRetentionOptions())))
            {
                data.Add(key, value);
            }
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Options))]
    public void Every_option_has_a_row_with_its_default(string key, string value) =>
        _rows.ShouldContain(row => row.StartsWith($"| `{key}` | `{key.Replace(":", "__", StringComparison.Ordinal)}` | {value} |", StringComparison.Ordinal));

    [Fact]
    public void Every_row_is_an_option() => _rows.Length.ShouldBe(Options.Count);

    private static IEnumerable<(string Key, string Value)> Read(string section, object options)
    {
        foreach (PropertyInfo property in options.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            object? value = property.GetValue(options);
            string key = $"{section}:{property.Name}";
            if (value is not null && property.PropertyType.Name.EndsWith("Options", StringComparison.Ordinal))
            {
                foreach ((string, string) inner in Read(key, value)) yield return inner;
                continue;
            }
            yield return (key, Text(value));
        }
    }

    private static string Text(object? value) => value switch
    {
        null => "none",
        IList<string> { Count: 0 } => "none",
        bool flag => flag ? "true" : "false",
        Enum member => member.ToString().ToLowerInvariant(),
        TimeSpan { Milliseconds: > 0 } time => time.ToString("c", CultureInfo.InvariantCulture).TrimEnd('0'),
        TimeSpan time => time.ToString("c", CultureInfo.InvariantCulture),
        _ => TypeDescriptor.GetConverter(value).ConvertToInvariantString(value)!,
    };
}
