using System.Reflection;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using EventMesh.Events;
using EventMesh.Journal;
using EventMesh.Journal.Internal;
using Shouldly;
using Xunit;

namespace EventMesh.Core.Tests.Journal;

public sealed class MeshJsonTests
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static TheoryData<string> WireNames => [.. EventRegistry.Default.All.Select(descriptor => descriptor.WireName)];

    [Theory]
    [MemberData(nameof(WireNames))]
    public void Every_event_is_written_and_read_as_its_golden_file_says(string wireName)
    {
        EventDescriptor descriptor = EventRegistry.Default.Get(wireName);
        IMeshEvent sample = EventSamples.All.Single(data => data.GetType() == descriptor.Type);
        string path = Path.Combine(AppContext.BaseDirectory, "Journal", "Golden", wireName + ".json");
        string written = Pretty(MeshJson.Serialize(sample));
        File.Exists(path).ShouldBeTrue($"An event on disk never changes: keep what it looks like in Journal/Golden/{wireName}.json:\n{written}");

        string golden = File.ReadAllText(path).TrimEnd().ReplaceLineEndings("\n");
        written.ShouldBe(golden);
        Pretty(MeshJson.Serialize(MeshJson.Deserialize(descriptor, Encoding.UTF8.GetBytes(golden)))).ShouldBe(golden);
    }

    [Fact]
    public void Every_version_that_ever_existed_has_a_golden_file_that_can_still_be_read()
    {
        string[] files = Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "Journal", "Golden"));

        files.Select(Path.GetFileNameWithoutExtension).ShouldBe(EventRegistry.Default.Readable.Select(descriptor => descriptor.WireName), ignoreOrder: true);
        foreach (string file in files)
            MeshJson.Deserialize(EventRegistry.Default.Get(Path.GetFileNameWithoutExtension(file)), File.ReadAllBytes(file)).ShouldNotBeNull();
        // From the first version to the one that is written, none is missing.
        foreach (MeshEventAttribute written in EventRegistry.Default.All.Select(descriptor => descriptor.Type.GetCustomAttribute<MeshEventAttribute>()!))
        {
            Enumerable.Range(1, written.Version).Select(version => $"{written.Name}.v{version}")
                .ShouldBeSubsetOf(files.Select(file => Path.GetFileNameWithoutExtension(file)));
        }
    }

    [Theory]
    [MemberData(nameof(WireNames))]
    public void No_event_is_read_by_reflection(string wireName) =>
        MeshJsonContext.Default.GetTypeInfo(EventRegistry.Default.Get(wireName).Type).ShouldNotBeNull();

    [Fact]
    public void Unknown_fields_are_skipped() =>
        Read("node.stopped.v1", """{"reason":"told to","mood":{"good":true}}""").ShouldBe(new NodeStopped("told to"));

    [Theory]
    [InlineData("node.stopped.v1", "{}")]
    [InlineData("node.stopped.v1", """{"reason":null}""")]
    [InlineData("node.stopped.v1", "null")]
    [InlineData("node.stopped.v1", "{")]
    [InlineData("node.reachability-changed.v1", """{"reachability":"sometimes"}""")]
    [InlineData("node.reachability-changed.v1", """{"reachability":1}""")]
    public void Content_of_another_shape_is_an_incompatible_store(string wireName, string json) =>
        Should.Throw<MeshException>(() => Read(wireName, json)).Error.ShouldBe(MeshError.StoreIncompatible);

    [Theory]
    [InlineData("192.0.2.7")]
    [InlineData("::1")]
    [InlineData("[::1]")]
    [InlineData("mesh.example:4433")]
    [InlineData("192.0.2.7:70000")]
    [InlineData("")]
    public void An_endpoint_without_an_address_and_a_port_is_refused(string endpoint) =>
        Should.Throw<JsonException>(() => JsonSerializer.Deserialize<System.Net.IPEndPoint>(JsonSerializer.Serialize(endpoint), MeshJson.Options));

    [Theory]
    [InlineData("192.0.2.7:4433")]
    [InlineData("[::1]:4433")]
    [InlineData("[::ffff:192.0.2.7]:1")]
    [InlineData("0.0.0.0:0")]
    public void An_endpoint_is_its_text(string endpoint)
    {
        string json = JsonSerializer.Serialize(System.Net.IPEndPoint.Parse(endpoint), MeshJson.Options);
        json.ShouldBe($"\"{endpoint}\"");
        JsonSerializer.Deserialize<System.Net.IPEndPoint>(json, MeshJson.Options).ShouldBe(System.Net.IPEndPoint.Parse(endpoint));
    }

    private static IMeshEvent Read(string wireName, string json) =>
        MeshJson.Deserialize(EventRegistry.Default.Get(wireName), Encoding.UTF8.GetBytes(json));

    private static string Pretty(byte[] json)
    {
        using var document = JsonDocument.Parse(json);
        return JsonSerializer.Serialize(document.RootElement, Indented).ReplaceLineEndings("\n");
    }
}
