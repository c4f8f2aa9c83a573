using System.Net;
using EventMesh.Wire;
using Shouldly;
using Xunit;

namespace EventMesh.Core.Tests.Wire;

public sealed class AddressScopeTests
{
    [Theory]
    [InlineData("127.0.0.1", "127.0.0.1", true)]
    [InlineData("127.0.0.1", "192.168.1.2", false)]
    [InlineData("192.168.1.2", "10.0.0.1", true)]
    [InlineData("192.168.1.2", "203.0.113.9", false)]
    [InlineData("203.0.113.9", "198.51.100.1", true)]
    [InlineData("::1", "2001:db8::1", false)]
    [InlineData("fd00::1", "fd00::2", true)]
    [InlineData("0.0.0.0", "127.0.0.1", false)]
    [InlineData("::", "::1", false)]
    [InlineData("224.0.0.1", "203.0.113.9", false)]
    [InlineData("ff02::1", "2001:db8::1", false)]
    public void Addresses_are_told_only_within_their_scope(string address, string to, bool isShared) =>
        AddressScope.IsShared(IPAddress.Parse(address), IPAddress.Parse(to)).ShouldBe(isShared);
}
