using EventMesh.Messaging;
using Shouldly;
using Xunit;

namespace EventMesh.Abstractions.Tests;

public sealed class MeshExceptionTests
{
    [Theory]
    [InlineData(MeshError.Unreachable, true)]
    [InlineData(MeshError.StoreUnavailable, true)]
    [InlineData(MeshError.Busy, true)]
    [InlineData(MeshError.WrongMesh, false)]
    [InlineData(MeshError.InvalidConfiguration, false)]
    [InlineData(MeshError.EpochLost, false)]
    public void It_tells_whether_trying_again_may_help(MeshError error, bool isTransient) =>
        new MeshException(error, "why").IsTransient.ShouldBe(isTransient);

    [Theory]
    [InlineData(SendOutcome.Acknowledged, true)]
    [InlineData(SendOutcome.Handled, true)]
    [InlineData(SendOutcome.NotSent, false)]
    [InlineData(SendOutcome.Refused, false)]
    [InlineData(SendOutcome.Unknown, false)]
    public void A_receipt_counts_as_sent_only_when_the_message_arrived(SendOutcome outcome, bool isSent) =>
        new SendReceipt(default, outcome, null, null).IsSent.ShouldBe(isSent);
}
