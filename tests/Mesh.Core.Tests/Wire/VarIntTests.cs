using CsCheck;
using EventMesh.Wire;
using Shouldly;
using Xunit;

namespace EventMesh.Core.Tests.Wire;

public sealed class VarIntTests
{
    // The examples of RFC 9000 A.1.
    [Theory]
    [InlineData("c2197c5eff14e88c", 151_288_809_941_952_652)]
    [InlineData("9d7f3e7d", 494_878_333)]
    [InlineData("7bbd", 15_293)]
    [InlineData("25", 37)]
    public void The_standards_examples_are_read_and_written(string hex, ulong value)
    {
        byte[] bytes = Convert.FromHexString(hex);
        var written = new byte[8];

        VarInt.Read(bytes, out ulong read).ShouldBe(bytes.Length);
        read.ShouldBe(value);
        written.AsSpan(0, VarInt.Write(written, value)).ToArray().ShouldBe(bytes);
    }

    [Fact]
    public void Every_value_survives_and_a_truncated_one_asks_for_more() => Gen.ULong[0, VarInt.MaxValue].Sample(value =>
    {
        Span<byte> bytes = stackalloc byte[8];
        int length = VarInt.Write(bytes, value);
        return VarInt.Read(bytes[..length], out ulong read) == length && read == value && VarInt.Read(bytes[..(length - 1)], out _) == 0;
    });

    [Fact]
    public void A_value_above_62_bits_is_refused() =>
        Should.Throw<ArgumentOutOfRangeException>(() => VarInt.LengthOf(VarInt.MaxValue + 1));
}
