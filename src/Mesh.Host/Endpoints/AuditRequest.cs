using EventMesh.Journal;

namespace EventMesh.Host.Endpoints;

/// <summary>What to check the log against.</summary>
/// <param name="Head">An exported head that it has to extend, or null.</param>
internal sealed record AuditRequest(SignedHead? Head);
