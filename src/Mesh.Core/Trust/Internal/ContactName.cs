namespace EventMesh.Trust.Internal;

/// <summary>A contact that has an address.</summary>
/// <param name="Contact">The contact in its one form, by which it is pinned.</param>
/// <param name="IsOneNode">Whether it names one node, as far as can be told: an address, or a name with at most one of each family.</param>
internal readonly record struct ContactName(string Contact, bool IsOneNode);
