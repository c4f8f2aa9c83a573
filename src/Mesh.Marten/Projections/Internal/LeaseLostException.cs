namespace EventMesh.Marten.Projections.Internal;

/// <summary>This process no longer is the one that lets the projections follow: nothing was written.</summary>
#pragma warning disable CA1064 // It never leaves the runner.
internal sealed class LeaseLostException : Exception
#pragma warning restore CA1064
{
    public LeaseLostException()
    {
    }

    public LeaseLostException(string message)
        : base(message)
    {
    }

    public LeaseLostException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
