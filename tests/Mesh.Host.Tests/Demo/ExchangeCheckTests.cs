using EventMesh.Host.Demo;
using EventMesh.Identity;
using EventMesh.Tests.Common.Hosting;

namespace EventMesh.Host.Tests.Demo;

public sealed class ExchangeCheckTests
{
    private static readonly PeerId A = FakeMesh.PeerOf(1);
    private static readonly PeerId B = FakeMesh.PeerOf(2);
    private readonly ExchangeCheck _check = new([A, B], perPair: 2);

    [Fact]
    public void It_is_complete_when_each_message_and_reply_has_arrived()
    {
        _check.Expected.ShouldBe(4);
        foreach ((PeerId from, PeerId to) in new[] { (A, B), (B, A) })
        {
            for (int i = 0; i < 2; i++)
            {
                _check.Complete.IsCompleted.ShouldBeFalse();
                _check.Arrived(from, to, ExchangeCheck.Text(from, to, i));
                _check.Answered(to, from, ExchangeCheck.Text(from, to, i));
            }
        }
        _check.Complete.IsCompletedSuccessfully.ShouldBeTrue();
        _check.Fault.ShouldBeNull();
        _check.Exchanged.ShouldBe(4);
    }

    [Fact]
    public void A_repeated_message_is_a_fault()
    {
        _check.Arrived(A, B, ExchangeCheck.Text(A, B, 1));
        _check.Arrived(A, B, ExchangeCheck.Text(A, B, 1));
        _check.Fault.ShouldNotBeNull().ShouldContain("twice");
        _check.Complete.IsCompleted.ShouldBeTrue();
    }

    [Fact]
    public void A_message_from_another_than_it_says_is_a_fault()
    {
        _check.Arrived(B, B, ExchangeCheck.Text(A, B, 1));
        _check.Fault.ShouldNotBeNull();
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("x y 1")]
    public void Foreign_content_is_a_fault(string? text)
    {
        _check.Arrived(A, B, text);
        _check.Fault.ShouldNotBeNull();
    }

    [Fact]
    public void A_number_that_was_not_sent_is_a_fault()
    {
        _check.Arrived(A, B, ExchangeCheck.Text(A, B, 2));
        _check.Fault.ShouldNotBeNull();
    }
}
