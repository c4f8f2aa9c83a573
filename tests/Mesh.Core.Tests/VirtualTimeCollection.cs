using Xunit;

namespace EventMesh.Core.Tests;

/// <summary>Tests whose clock waits for the thread pool run alone: it would wait for what other tests do there.</summary>
[CollectionDefinition(nameof(VirtualTimeCollection), DisableParallelization = true)]
public sealed class VirtualTimeCollection;
