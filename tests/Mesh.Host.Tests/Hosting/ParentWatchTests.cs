using System.IO.Pipes;
using EventMesh.Host.Hosting;

namespace EventMesh.Host.Tests.Hosting;

public sealed class ParentWatchTests
{
    [Fact]
    public async Task It_ends_with_the_other_end_of_the_pipe()
    {
        AnonymousPipeServerStream parent = new(PipeDirection.Out);
        AnonymousPipeClientStream child = new(PipeDirection.In, parent.ClientSafePipeHandle);
        Task watch = ParentWatch.WhenParentEndsAsync(child, CancellationToken.None);
        parent.WriteByte(1);
        watch.IsCompleted.ShouldBeFalse();
        await parent.DisposeAsync();
        await watch.WaitAsync(TimeSpan.FromMinutes(2));
        await child.DisposeAsync();
    }
}
