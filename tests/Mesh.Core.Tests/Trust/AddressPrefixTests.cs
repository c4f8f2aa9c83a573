using System.Net;
using EventMesh.Trust;
using Shouldly;
using Xunit;

namespace EventMesh.Core.Tests.Trust;

public sealed class AddressPrefixTests
{
    [Theory]
    [InlineData("203.0.113.9", "203.0.113.9", true)]
    [InlineData("203.0.113.9", "203.0.113.10", false)]
    [InlineData("203.0.113.9", "::ffff:203.0.113.9", true)]
    [InlineData("203.0.113.9", "2001:db8:0:1::1", false)]
    [InlineData("2001:db8:0:1::1", "2001:db8:0:1::2", true)]
    [InlineData("2001:db8:0:1::1", "2001:db8:0:100::1", false)]
    public void A_source_is_an_ipv4_address_or_an_ipv6_prefix_of_56_bits(string one, string other, bool isSame) =>
        (AddressPrefix.SourceOf(IPAddress.Parse(one)) == AddressPrefix.SourceOf(IPAddress.Parse(other))).ShouldBe(isSame);

    [Theory]
    [InlineData("203.0.113.9", "203.0.113.0/24")]
    [InlineData("2001:db8:1:2::3", "2001:db8:1::/48")]
    public void A_network_is_the_smallest_that_is_routed_globally(string address, string network) =>
        AddressPrefix.NetworkOf(IPAddress.Parse(address)).ToString().ShouldBe(network);
}
