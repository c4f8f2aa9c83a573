using Xunit;

namespace EventMesh.Core.Tests.Journal;

/// <summary>How long a test waits for a signal before it fails.</summary>
internal static class TestLimit
{
    public static CancellationToken Token
    {
        get
        {
            var source = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
            source.CancelAfter(TimeSpan.FromMinutes(2));
            return source.Token;
        }
    }
}
