namespace EventMesh.Marten.Audit.Internal;

/// <summary>What the store notes of a log's end.</summary>
internal sealed record ChainEnd(int Epoch, long Place, DateTimeOffset Time, byte[]? Hash, long? ChainedFrom);
