using Microsoft.Extensions.Hosting;

namespace EventMesh.Host.Hosting;

/// <summary>A lifetime without signal handlers: signals are the command's, which stops the host.</summary>
internal sealed class CommandLifetime : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
