using System.Reflection;
using Microsoft.Extensions.Logging;
using Shouldly;
using Xunit;

namespace EventMesh.Architecture;

/// <summary>An operator filters logs by event id and name, so both are there and mean one thing.</summary>
public sealed class LogMessageTests
{
    public static TheoryData<string> ProductAssemblies => new(ProjectFile.Product.Select(project =>
        project.Property("AssemblyName") ?? project.Name.Replace("Mesh.", "EventMesh.")));

    [Theory]
    [MemberData(nameof(ProductAssemblies))]
    public void Log_messages_have_an_event_id_that_no_other_of_the_assembly_has(string assembly)
    {
        Messages(assembly)
            .GroupBy(message => message.Attribute.EventId)
            .Where(same => same.Key <= 0 || same.Count() > 1)
            .Select(same => $"{same.Key}: {string.Join(", ", same.Select(message => message.Method))}")
            .ShouldBeEmpty();
    }

    [Theory]
    [MemberData(nameof(ProductAssemblies))]
    public void Log_messages_have_an_event_name(string assembly)
    {
        Messages(assembly)
            .Where(message => string.IsNullOrEmpty(message.Attribute.EventName))
            .Select(message => message.Method)
            .ShouldBeEmpty();
    }

    private static IEnumerable<(string Method, LoggerMessageAttribute Attribute)> Messages(string assembly) =>
        from type in Assembly.Load(assembly).GetTypes()
        from method in type.GetMethods(
            BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic
            | BindingFlags.DeclaredOnly)
        let attribute = method.GetCustomAttribute<LoggerMessageAttribute>()
        where attribute is not null
        select ($"{type.Name}.{method.Name}", attribute);
}
