namespace EventMesh.EndToEnd;

/// <summary>Tests that start several processes each run one after another: two cores hold no more.</summary>
[CollectionDefinition(nameof(OneAtATime), DisableParallelization = true)]
public sealed class OneAtATime;
