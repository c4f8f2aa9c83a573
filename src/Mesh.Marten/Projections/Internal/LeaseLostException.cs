namespace EventMesh.Marten.Projections.Internal;

/// <summary>This process no longer is the one that lets the projections follow: nothing was written.</summary>
internal sealed class LeaseLostException : Exception
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
