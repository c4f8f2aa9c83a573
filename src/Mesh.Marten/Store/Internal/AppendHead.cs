namespace EventMesh.Marten.Store.Internal;

/// <summary>Where an append leaves a log.</summary>
/// <param name="Tenant">The log's tenant.</param>
/// <param name="NodeSeq">Its last place.</param>
/// <param name="Hash">The link of the event there.</param>
/// <param name="FirstSeq">The first place of the append.</param>
internal sealed record AppendHead(string Tenant, long NodeSeq, byte[] Hash, long FirstSeq);
