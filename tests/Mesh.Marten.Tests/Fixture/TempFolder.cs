namespace EventMesh.Marten.Tests.Fixture;

internal sealed class TempFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("eventmesh-test-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
