using EventMesh.Host.Control;
using EventMesh.Host.Endpoints;
using EventMesh.Node;
using Microsoft.Extensions.Options;

namespace EventMesh.Host.Doctor;

/// <summary>Examines the data directory, and who runs on it.</summary>
internal sealed class DataDirectoryProbe(IOptions<MeshOptions> options) : IDoctorProbe
{
    private const string Name = "data directory";

    public async Task<IReadOnlyList<DoctorCheck>> ExamineAsync(CancellationToken cancellationToken)
    {
        string path = Path.GetFullPath(options.Value.DataDirectory);
        using ControlClient client = new(path);
        try
        {
            NodeView node = await client.GetNodeAsync(cancellationToken);
            return
            [
                DoctorCheck.Failed(
                    Name,
                    new MeshException(MeshError.DataDirectoryLocked, $"{path} is in use by node {node.Peer.ToShortString()}, process {node.ProcessId}, on {node.Listen}"),
                    "That node runs already. For a second one give another --data."),
            ];
        }
        catch (MeshException e) when (e.Error == MeshError.NodeStopped)
        {
            return [ExamineFolder(path)];
        }
    }

    private static DoctorCheck ExamineFolder(string path)
    {
        try
        {
            if (!Directory.Exists(path))
            {
                string? parent = Path.GetDirectoryName(path);
                while (parent is not null && !Directory.Exists(parent))
                {
                    if (File.Exists(parent)) throw new IOException($"{parent} is a file.");
                    parent = Path.GetDirectoryName(parent);
                }
                TryWrite(parent ?? "/");
                return DoctorCheck.Ok(Name, $"{path} will be made");
            }
            TryWrite(path);
            return DoctorCheck.Ok(Name, $"{path} can be written");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return DoctorCheck.Failed(
                Name, new MeshException(MeshError.DataDirectoryUnusable, $"{path} can't be written: {e.Message}", e), "Give another --data, or the folder to this user.");
        }
    }

    private static void TryWrite(string folder)
    {
        string file = Path.Combine(folder, $".mesh-doctor-{Environment.ProcessId}");
        using FileStream stream = new(file, FileMode.Create, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose);
        stream.WriteByte(0);
    }
}
