using Xunit;

namespace EventMesh.Core.Tests;

/// <summary>Tests that listen to the process-wide instruments run alone.</summary>
[CollectionDefinition(nameof(TelemetryCollection), DisableParallelization = true)]
public sealed class TelemetryCollection;
