namespace EventMesh.Events;

/// <summary>Who decides when it is not a person: values of <c>By</c> in trust events.</summary>
public static class TrustAuthor
{
    /// <summary>The node's limits: a peer or its address broke the rules too often.</summary>
    public const string Limits = "limits";

    /// <summary>The first connection with a contact.</summary>
    public const string FirstUse = "first-use";

    /// <summary>The embedding application, when it does not say more.</summary>
    public const string Application = "application";
}
