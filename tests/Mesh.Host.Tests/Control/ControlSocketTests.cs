using System.Net.Sockets;
using System.Text;
using EventMesh.Host.Control;

namespace EventMesh.Host.Tests.Control;

public sealed class ControlSocketTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mesh-socket-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void It_is_in_the_data_directory() => ControlSocket.GetPath(_folder).ShouldBe(Path.Combine(_folder, "mesh.sock"));

    [Fact]
    public void Node_and_client_agree_whatever_way_the_directory_is_written() =>
        ControlSocket.GetPath(Path.Combine(_folder, "x", "..") + "/").ShouldBe(ControlSocket.GetPath(_folder));

    [Theory]
    [InlineData('a')]
    [InlineData('ä')]
    public void A_path_too_long_for_a_socket_is_replaced_by_a_short_one(char letter)
    {
        string data = "/" + new string(letter, 120);
        string path = ControlSocket.GetPath(data);
        Encoding.UTF8.GetByteCount(path).ShouldBeLessThanOrEqualTo(ControlSocket.MaxPathBytes);
        path.ShouldBe(ControlSocket.GetPath(data));
        path.ShouldNotBe(ControlSocket.GetPath(data + "x"));
    }

    [Fact]
    public void The_longest_path_that_fits_stays_in_the_data_directory()
    {
        string data = "/" + new string('a', ControlSocket.MaxPathBytes - "//mesh.sock".Length);
        ControlSocket.GetPath(data).ShouldBe(data + "/mesh.sock");
        ControlSocket.GetPath(data + "a").ShouldStartWith("/tmp/eventmesh-");
    }

    [Fact]
    public void Only_the_owner_can_use_it()
    {
        using Socket socket = Bind();
        File.GetUnixFileMode(ControlSocket.GetPath(_folder)).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    [Fact]
    public void The_file_that_a_killed_node_left_is_replaced()
    {
        File.WriteAllText(ControlSocket.GetPath(_folder), "left");
        using Socket socket = Bind();
        socket.Listen();
        using Socket client = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        client.Connect(new UnixDomainSocketEndPoint(ControlSocket.GetPath(_folder)));
        client.Connected.ShouldBeTrue();
    }

    [Fact]
    public void A_folder_that_cannot_be_made_is_told()
    {
        string file = Path.Combine(_folder, "file");
        File.WriteAllText(file, "");
        Should.Throw<MeshException>(() => ControlSocket.Bind(new UnixDomainSocketEndPoint(Path.Combine(file, "mesh.sock"))))
            .Error.ShouldBe(MeshError.DataDirectoryUnusable);
    }

    private Socket Bind() => ControlSocket.Bind(new UnixDomainSocketEndPoint(ControlSocket.GetPath(_folder)));
}
