using System.Globalization;

namespace EventMesh.Journal.Internal;

/// <summary>Numbers as RFC 8785 has them: a double, written as ECMAScript's <c>Number::toString</c> does (ECMA-262 6.1.6.1.20).</summary>
internal static class CanonicalNumber
{
    /// <summary>Whole numbers of so many digits stand for themselves.</summary>
    private const int PlainDigits = 15;

    /// <summary>Digits kept of a number; a double has at most 17 in its shortest form.</summary>
    private const int MaxDigits = 32;

    /// <summary>How many bytes <see cref="Format"/> may need.</summary>
    public static int RoomFor(ReadOnlySpan<byte> number) => Math.Max(number.Length, MaxDigits + 32);

    /// <summary>Writes a JSON number in canonical form; the bytes written.</summary>
    /// <remarks>
    /// A number beyond a double has no form in RFC 8785; it gets one of its digits, so that an old log which holds one can be chained all the same.
    /// </remarks>
    public static int Format(ReadOnlySpan<byte> number, Span<byte> destination)
    {
        if (IsPlain(number))
        {
            number.CopyTo(destination);
            return number.Length;
        }
        double value = Parse(number);
        Span<byte> text = stackalloc byte[32];
        Span<byte> digits = stackalloc byte[MaxDigits];
        ShortDecimal parts = double.IsFinite(value) ? Shortest(value, text, digits) : Read(number, digits);
        return Write(number[0] == (byte)'-', digits[..parts.Count], parts.Point, destination);
    }

    /// <summary>Whether a double says all that the number says: its shortest form has the same value.</summary>
    public static bool IsExact(ReadOnlySpan<byte> number)
    {
        if (IsPlain(number))
            return true;
        double value = Parse(number);
        if (!double.IsFinite(value))
            return false;
        Span<byte> text = stackalloc byte[32];
        Span<byte> held = stackalloc byte[MaxDigits];
        Span<byte> given = stackalloc byte[MaxDigits];
        ShortDecimal first = Shortest(value, text, held);
        ShortDecimal second = Read(number, given);
        return !second.IsCut && held[..first.Count].SequenceEqual(given[..second.Count]) && (first.Count == 0 || first.Point == second.Point);
    }

    private static bool IsPlain(ReadOnlySpan<byte> number)
    {
        ReadOnlySpan<byte> digits = number[0] == (byte)'-' ? number[1..] : number;
        return digits.Length <= PlainDigits && !digits.ContainsAnyExceptInRange((byte)'0', (byte)'9') && (digits[0] != (byte)'0' || digits.Length == number.Length);
    }

    private static double Parse(ReadOnlySpan<byte> number) => double.Parse(number, NumberStyles.Float, CultureInfo.InvariantCulture);

    private static ShortDecimal Shortest(double value, Span<byte> text, Span<byte> digits)
    {
        value.TryFormat(text, out int written, default, CultureInfo.InvariantCulture);
        return Read(text[..written], digits);
    }

    // The digits without zeros before and behind, and where the point stands: the value is 0.d1d2d3... times ten to the point.
    private static ShortDecimal Read(ReadOnlySpan<byte> number, Span<byte> digits)
    {
        int count = 0;
        long point = 0;
        bool inFraction = false;
        bool isCut = false;
        for (int i = 0; i < number.Length; i++)
        {
            byte character = number[i];
            if (character is (byte)'e' or (byte)'E')
            {
                point += ReadExponent(number[(i + 1)..]);
                break;
            }
            if (character == (byte)'.')
                inFraction = true;
            if (character is < (byte)'0' or > (byte)'9')
                continue;
            if (count == 0 && character == (byte)'0')
            {
                point -= inFraction ? 1 : 0;
                continue;
            }
            point += inFraction ? 0 : 1;
            if (count < digits.Length)
                digits[count++] = character;
            else
                isCut |= character != (byte)'0';
        }
        while (count > 0 && digits[count - 1] == (byte)'0')
            count--;
        return new ShortDecimal(count, point, isCut);
    }

    private static long ReadExponent(ReadOnlySpan<byte> text)
    {
        // Far beyond what a double or a numeric of PostgreSQL has.
        const long Most = 1_000_000_000_000;
        long value = 0;
        foreach (byte character in text)
        {
            if (character is >= (byte)'0' and <= (byte)'9')
                value = Math.Min(Most, (value * 10) + (character - (byte)'0'));
        }
        return text[0] == (byte)'-' ? -value : value;
    }

    private static int Write(bool isNegative, ReadOnlySpan<byte> digits, long point, Span<byte> destination)
    {
        int length = 0;
        // Zero has no sign.
        if (digits.IsEmpty)
        {
            destination[0] = (byte)'0';
            return 1;
        }
        if (isNegative)
            destination[length++] = (byte)'-';
        if (point is > 0 and <= 21)
        {
            int whole = Math.Min((int)point, digits.Length);
            digits[..whole].CopyTo(destination[length..]);
            length += whole;
            destination.Slice(length, (int)point - whole).Fill((byte)'0');
            length += (int)point - whole;
            return whole < digits.Length ? Fraction(digits[whole..], destination, length) : length;
        }
        if (point is > -6 and <= 0)
        {
            destination[length++] = (byte)'0';
            destination[length++] = (byte)'.';
            destination.Slice(length, (int)-point).Fill((byte)'0');
            length += (int)-point;
            digits.CopyTo(destination[length..]);
            return length + digits.Length;
        }
        destination[length++] = digits[0];
        if (digits.Length > 1)
            length = Fraction(digits[1..], destination, length);
        destination[length++] = (byte)'e';
        destination[length++] = point > 0 ? (byte)'+' : (byte)'-';
        Math.Abs(point - 1).TryFormat(destination[length..], out int written, default, CultureInfo.InvariantCulture);
        return length + written;
    }

    private static int Fraction(ReadOnlySpan<byte> digits, Span<byte> destination, int length)
    {
        destination[length++] = (byte)'.';
        digits.CopyTo(destination[length..]);
        return length + digits.Length;
    }

    private readonly record struct ShortDecimal(int Count, long Point, bool IsCut);
}
