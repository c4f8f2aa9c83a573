using System.Net;
using System.Net.Sockets;
using EventMesh.Node;
using Microsoft.Extensions.Options;

namespace EventMesh.Host.Doctor;

/// <summary>Examines the UDP address by binding it for a moment.</summary>
internal sealed class PortProbe(IOptions<MeshOptions> options) : IDoctorProbe
{
    private const string Name = "address";

    public Task<IReadOnlyList<DoctorCheck>> ExamineAsync(CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<DoctorCheck>>([Examine(options.Value.Listen)]);

    private static DoctorCheck Examine(string listen)
    {
        // A value that can't be read is the configuration's problem.
        if (!IPEndPoint.TryParse(listen, out IPEndPoint? endPoint)) return DoctorCheck.Note(Name, $"'{listen}' is not an address");
        try
        {
            using Socket socket = new(endPoint.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            socket.Bind(endPoint);
            return DoctorCheck.Ok(Name, endPoint.Port == 0 ? $"{endPoint}: the system will choose the port" : $"{endPoint} is free (UDP)");
        }
        catch (SocketException e)
        {
            return e.SocketErrorCode == SocketError.AddressAlreadyInUse
                ? DoctorCheck.Failed(
                    Name, new MeshException(MeshError.AddressInUse, $"{endPoint} is in use by another process (UDP)", e), "Give another --listen, or port 0 for any.")
                : DoctorCheck.Failed(
                    Name, new MeshException(MeshError.AddressNotAvailable, $"{endPoint} can't be bound: {e.Message}", e), "Give an address of this machine with --listen.");
        }
    }
}
