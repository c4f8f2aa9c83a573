namespace EventMesh.Transport.Ngtcp2.Internal;

/// <summary>What a stream has to send next.</summary>
/// <param name="Vectors">The number of places its bytes lie in.</param>
/// <param name="Bytes">How many bytes.</param>
/// <param name="Ends">Whether the stream ends with them.</param>
internal readonly record struct SendBatch(int Vectors, long Bytes, bool Ends)
{
    /// <value>Whether only the end is left, which no flow control window can hold back.</value>
    public bool IsOnlyEnd => Ends && Bytes == 0;
}
