namespace EventMesh.Host.Endpoints;

/// <summary>Which items of an answer come first.</summary>
internal enum SortOrder
{
    /// <summary>The newest.</summary>
    Newest,

    /// <summary>The oldest.</summary>
    Oldest,
}
