using System.Globalization;
using System.Text;
using System.Text.Json;
using CsCheck;
using EventMesh.Journal.Internal;
using Shouldly;
using Xunit;

namespace EventMesh.Core.Tests.Journal;

/// <summary>The canonical form is that of RFC 8785, by its own examples.</summary>
public sealed class CanonicalJsonTests
{
    // RFC 8785, appendix B: the bits of a double and its text.
    [Theory]
    [InlineData(0x0000000000000000, "0")]
    [InlineData(0x8000000000000000, "0")]
    [InlineData(0x0000000000000001, "5e-324")]
    [InlineData(0x8000000000000001, "-5e-324")]
    [InlineData(0x7fefffffffffffff, "1.7976931348623157e+308")]
    [InlineData(0xffefffffffffffff, "-1.7976931348623157e+308")]
    [InlineData(0x4340000000000000, "9007199254740992")]
    [InlineData(0xc340000000000000, "-9007199254740992")]
    [InlineData(0x4430000000000000, "295147905179352830000")]
    [InlineData(0x44b52d02c7e14af5, "9.999999999999997e+22")]
    [InlineData(0x44b52d02c7e14af6, "1e+23")]
    [InlineData(0x44b52d02c7e14af7, "1.0000000000000001e+23")]
    [InlineData(0x444b1ae4d6e2ef4e, "999999999999999700000")]
    [InlineData(0x444b1ae4d6e2ef4f, "999999999999999900000")]
    [InlineData(0x444b1ae4d6e2ef50, "1e+21")]
    [InlineData(0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7")]
    [InlineData(0x3eb0c6f7a0b5ed8d, "0.000001")]
    [InlineData(0x41b3de4355555553, "333333333.3333332")]
    [InlineData(0x41b3de4355555554, "333333333.33333325")]
    [InlineData(0x41b3de4355555555, "333333333.3333333")]
    [InlineData(0x41b3de4355555556, "333333333.3333334")]
    [InlineData(0x41b3de4355555557, "333333333.33333343")]
    [InlineData(0xbecbf647612f3696, "-0.0000033333333333333333")]
    [InlineData(0x43143ff3c1cb0959, "1424953923781206.2")]
    public void Numbers_are_written_as_the_RFC_has_them(ulong bits, string expected)
    {
        double value = BitConverter.UInt64BitsToDouble(bits);

        Of(value.ToString("E17", CultureInfo.InvariantCulture)).ShouldBe(expected);
        Of(value.ToString("R", CultureInfo.InvariantCulture)).ShouldBe(expected);
    }

    // RFC 8785, 3.2.2.
    [Fact]
    public void The_sample_of_the_RFC_has_the_form_of_the_RFC() =>
        Of("""
            {
              "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
              "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
              "literals": [null, true, false]
            }
            """).ShouldBe(
            """{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}""");

    // RFC 8785, 3.2.3: the last but one lies beyond U+FFFF, so a surrogate begins it, before U+FB33.
    [Fact]
    public void Properties_are_in_order_of_their_UTF_16_code_units() =>
        Of("""
            {
              "\u20ac": "Euro Sign",
              "\r": "Carriage Return",
              "\ufb33": "Hebrew Letter Dalet With Dagesh",
              "1": "One",
              "\ud83d\ude00": "Emoji: Grinning Face",
              "\u0080": "Control",
              "\u00f6": "Latin Small Letter O With Diaeresis"
            }
            """).ShouldBe(
            "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u0080\":\"Control\",\"\u00f6\":\"Latin Small Letter O With Diaeresis\"," +
            "\"\u20ac\":\"Euro Sign\",\"\U0001F600\":\"Emoji: Grinning Face\",\"\ufb33\":\"Hebrew Letter Dalet With Dagesh\"}");

    [Theory]
    [InlineData("-0", "0")]
    [InlineData("-0.0", "0")]
    [InlineData("1.0", "1")]
    [InlineData("1E2", "100")]
    [InlineData("123456789012345678", "123456789012345680")]
    [InlineData("0.10", "0.1")]
    [InlineData("""{ "b" : [ ] , "a" : { } }""", """{"a":{},"b":[]}""")]
    [InlineData("""{"a":1,"b":{"y":1,"x":[{"d":0,"c":0}]},"\u0061":2}""", """{"a":2,"b":{"x":[{"c":0,"d":0}],"y":1}}""")]
    [InlineData("\"\\u003c\\u002B\\/\\u007f\\u2028\"", "\"<+/\u007f\u2028\"")]
    [InlineData("\"\\u0000\\u001F\\b\\t\\n\\f\\r\"", "\"\\u0000\\u001f\\b\\t\\n\\f\\r\"")]
    [InlineData("""{"\\":1,"\"":2,"]":3,"[":4}""", """{"\"":2,"[":4,"\\":1,"]":3}""")]
    [InlineData("1e400", "1e+400")]
    [InlineData("10e399", "1e+400")]
    public void Different_texts_of_the_same_value_have_one_form(string json, string expected) => Of(json).ShouldBe(expected);

    [Fact]
    public void Every_double_is_told_from_every_other_by_as_few_digits_as_possible() => Gen.ULong.Sample(bits =>
    {
        double value = BitConverter.UInt64BitsToDouble(bits);
        if (!double.IsFinite(value))
            return;
        string shortest = value.ToString("R", CultureInfo.InvariantCulture);
        string canonical = Of(shortest);

        double.Parse(canonical, CultureInfo.InvariantCulture).ShouldBe(value);
        Digits(canonical).ShouldBe(Digits(shortest));
        Lost(shortest).ShouldBeNull();
    });

    [Fact]
    public void Names_sort_as_an_ordinal_comparison_of_strings_does() => Gen.String[Gen.Char, 0, 4].Array[0, 8].Sample(names =>
    {
        string[] valid = [.. names.Select(name => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(name))).Distinct(StringComparer.Ordinal)];
        string json = JsonSerializer.Serialize(valid.ToDictionary(name => name, _ => 0, StringComparer.Ordinal));

        using JsonDocument sorted = JsonDocument.Parse(Of(json));

        sorted.RootElement.EnumerateObject().Select(property => property.Name).ShouldBe(valid.Order(StringComparer.Ordinal));
    });

    [Theory]
    [InlineData("9007199254740992")]
    [InlineData("1e22")]
    [InlineData("10000000000000000000000")]
    [InlineData("0.1")]
    [InlineData("1.50e0")]
    [InlineData("-0.0")]
    [InlineData("5e-324")]
    public void What_a_double_holds_is_taken(string number) => Lost(number).ShouldBeNull();

    [Theory]
    [InlineData("9007199254740993")]
    [InlineData("0.30000000000000004001")]
    [InlineData("1e309")]
    [InlineData("1e-400")]
    [InlineData("1e99999999999999999999")]
    [InlineData("""{"a":[1,{"b":3.14159265358979323846}]}""")]
    public void What_a_double_can_not_hold_is_told(string json) => Lost(json).ShouldNotBeNull().ShouldContain("a double can't hold");

    [Fact]
    public void What_is_not_JSON_has_no_form()
    {
        foreach (string json in (string[])["", "{", "[1,]", "{} {}", "nul"])
            Should.Throw<JsonException>(() => CanonicalJson.Of(Encoding.UTF8.GetBytes(json)));
    }

    [Fact]
    public void A_great_document_leaves_no_great_buffer_and_no_trace()
    {
        string great = JsonSerializer.Serialize(Enumerable.Range(0, 50_000).Reverse().ToDictionary(i => i.ToString("D6", CultureInfo.InvariantCulture), i => i));

        Of(great).Length.ShouldBe(great.Length);

        Of("""{"b":1,"a":2}""").ShouldBe("""{"a":2,"b":1}""");
    }

    private static string Of(string json) => Encoding.UTF8.GetString(CanonicalJson.Of(Encoding.UTF8.GetBytes(json)));

    private static string? Lost(string json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        return CanonicalJson.WhatIsLost(document.RootElement);
    }

    private static string Digits(string number) =>
        new string([.. number.ToUpperInvariant().TakeWhile(character => character != 'E').Where(char.IsAsciiDigit)]).Trim('0');
}
