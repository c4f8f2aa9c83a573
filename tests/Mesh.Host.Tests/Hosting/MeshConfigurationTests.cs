using EventMesh.Host.Hosting;
using EventMesh.Node;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace EventMesh.Host.Tests.Hosting;

public sealed class MeshConfigurationTests : IDisposable
{
    private readonly string _file = Path.GetTempFileName();

    public void Dispose() => File.Delete(_file);

    [Fact]
    public void The_command_line_is_stronger_than_the_file()
    {
        File.WriteAllText(_file, """{ "EventMesh": { "Listen": "127.0.0.1:1", "MeshName": "file" } }""");
        MeshOptions options = Read(new NodeArguments { Listen = "127.0.0.1:2" });
        options.Listen.ShouldBe("127.0.0.1:2");
        options.MeshName.ShouldBe("file");
    }

    [Fact]
    public void Contacts_of_the_command_line_replace_those_of_the_file()
    {
        File.WriteAllText(_file, """{ "EventMesh": { "Contacts": ["127.0.0.1:1", "127.0.0.1:2"] } }""");
        Read(new NodeArguments { Contacts = ["127.0.0.1:3"] }).Contacts.ShouldBe(["127.0.0.1:3"]);
        Read(new NodeArguments()).Contacts.ShouldBe(["127.0.0.1:1", "127.0.0.1:2"]);
    }

    [Fact]
    public void A_file_that_is_not_JSON_is_told_with_the_place()
    {
        File.WriteAllText(_file, "{ \"EventMesh\": { \"Listen\": } }");
        MeshException exception = Should.Throw<MeshException>(() => MeshConfiguration.Build(_file, new NodeArguments()));
        exception.Error.ShouldBe(MeshError.InvalidConfiguration);
        exception.Message.ShouldContain(_file);
        exception.Message.ShouldContain("LineNumber: 0");
    }

    [Fact]
    public void A_value_of_the_wrong_type_is_told_with_its_key()
    {
        File.WriteAllText(_file, """{ "EventMesh": { "Limits": { "MaxPeers": "many" } } }""");
        MeshException exception = Should.Throw<MeshException>(() => Services(new NodeArguments()).CheckOptions());
        exception.Error.ShouldBe(MeshError.InvalidConfiguration);
        exception.Message.ShouldContain("EventMesh:Limits:MaxPeers");
        exception.Message.ShouldContain("many");
    }

    [Fact]
    public void All_values_out_of_range_are_told_at_once()
    {
        File.WriteAllText(_file, """{ "EventMesh": { "Limits": { "MaxPeers": 0 }, "Listen": "nowhere" } }""");
        MeshException exception = Should.Throw<MeshException>(() => Services(new NodeArguments()).CheckOptions());
        exception.Message.ShouldContain("MaxPeers");
        exception.Message.ShouldContain("nowhere");
    }

    private MeshOptions Read(NodeArguments arguments) => Services(arguments).GetRequiredService<IOptions<MeshOptions>>().Value;

    private ServiceProvider Services(NodeArguments arguments)
    {
        IConfigurationRoot configuration = MeshConfiguration.Build(_file, arguments);
        return NodeApplication.CreateDoctorServices(configuration, arguments).BuildServiceProvider();
    }
}
