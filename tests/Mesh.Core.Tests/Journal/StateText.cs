using System.Text.Json;
using System.Text.Json.Nodes;
using EventMesh.Journal;
using EventMesh.Projections;

namespace EventMesh.Core.Tests.Journal;

/// <summary>A state as text that is the same for equal states: the order of the members of sets and dictionaries does not count.</summary>
internal static class StateText
{
    public static string Of(MeshState state) => Sort(JsonSerializer.SerializeToNode(state, MeshJson.Options))!.ToJsonString();

    private static JsonNode? Sort(JsonNode? node) => node switch
    {
        JsonObject members => new JsonObject(members.OrderBy(member => member.Key, StringComparer.Ordinal).Select(member => KeyValuePair.Create(member.Key, Sort(member.Value)))),
        JsonArray items => new JsonArray([.. items.Select(Sort).OrderBy(item => item?.ToJsonString(), StringComparer.Ordinal)]),
        { } value => value.DeepClone(),
        null => null,
    };
}
