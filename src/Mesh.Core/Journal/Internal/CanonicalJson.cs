using System.Buffers;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace EventMesh.Journal.Internal;

/// <summary>
/// JSON in the canonical form of RFC 8785 (JCS): no white space, properties in order of their UTF-16 code units, numbers as ECMAScript writes them,
/// only the escapes that must be. JSON as it was recorded and as PostgreSQL's <c>jsonb</c> gives it back have the same form: of properties with the same name the last counts.
/// </summary>
/// <remarks>
/// It writes one document after another into a buffer of its own, without a tree in between: every append goes through here. One call at a time;
/// <see cref="Current"/> has one for each thread.
/// </remarks>
internal sealed class CanonicalJson
{
    /// <summary>Deeper than any reader of events goes.</summary>
    private const int MaxDepth = 1024;

    /// <summary>Buffers that one great event made are not kept for good.</summary>
    private const int KeptBytes = 256 * 1024;

    /// <summary>Texts up to here are unescaped on the stack.</summary>
    private const int OnStack = 512;

    [ThreadStatic]
    private static CanonicalJson? _current;

    private byte[] _output = new byte[1024];
    private byte[] _scratch = [];
    private int _length;
    private Property[] _properties = new Property[32];
    private int _propertyCount;

    /// <summary>This thread's.</summary>
    public static CanonicalJson Current => _current ??= new CanonicalJson();

    /// <summary>What was written since <see cref="Clear"/>; until the next call.</summary>
    public ReadOnlySpan<byte> Written => _output.AsSpan(0, _length);

    /// <summary>The canonical form of a document, alone.</summary>
    public static byte[] Of(ReadOnlySpan<byte> json)
    {
        CanonicalJson writer = Current;
        writer.Clear();
        writer.Append(json);
        return writer.Written.ToArray();
    }

    /// <summary>Why the canonical form would not say all that a document says, for people; null when it does.</summary>
    /// <remarks>What passes comes back from the store with the same value, and its canonical form tells it from every other.</remarks>
    public static string? WhatIsLost(JsonElement element)
    {
        ReadOnlySpan<byte> json = JsonMarshal.GetRawUtf8Value(element);
        if (!Utf8.IsValid(json))
            return "it is not valid UTF-8";
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = MaxDepth });
        while (reader.Read())
        {
            if (reader.TokenType == JsonTokenType.Number && !CanonicalNumber.IsExact(reader.ValueSpan))
                return $"a double can't hold the number {Shown(reader.ValueSpan)}; write it as text";
            if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName && reader.ValueIsEscaped && !CanBeUnescaped(ref reader))
                return "a text in it has half of a surrogate pair";
        }
        return null;
    }

    /// <summary>Begins anew.</summary>
    public void Clear()
    {
        _length = 0;
        _propertyCount = 0;
        if (_output.Length > KeptBytes)
            (_output, _scratch) = (new byte[1024], []);
    }

    /// <summary>Adds text that is canonical already.</summary>
    public void AppendRaw(ReadOnlySpan<byte> text)
    {
        text.CopyTo(Room(text.Length));
        _length += text.Length;
    }

    /// <summary>Adds a whole number.</summary>
    public void Append(long value)
    {
        value.TryFormat(Room(20), out int written, default, CultureInfo.InvariantCulture);
        _length += written;
    }

    /// <summary>Adds a text.</summary>
    public void Append(string text)
    {
        int most = Encoding.UTF8.GetMaxByteCount(text.Length);
        byte[]? rented = null;
        Span<byte> utf8 = most > OnStack ? (rented = ArrayPool<byte>.Shared.Rent(most)) : stackalloc byte[OnStack];
        AppendText(utf8[..Encoding.UTF8.GetBytes(text, utf8)]);
        if (rented is not null)
            ArrayPool<byte>.Shared.Return(rented);
    }

    /// <summary>Adds a document.</summary>
    /// <exception cref="JsonException">It is not JSON.</exception>
    public void Append(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = MaxDepth });
        reader.Read();
        AppendValue(ref reader);
        // Fails on anything but white space behind the value.
        reader.Read();
    }

    private static bool CanBeUnescaped(ref Utf8JsonReader reader)
    {
        try
        {
            _ = reader.GetString();
            return true;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    private static string Shown(ReadOnlySpan<byte> number)
    {
        string text = Encoding.ASCII.GetString(number);
        return text.Length <= 40 ? text : text[..40] + "...";
    }

    private void AppendValue(ref Utf8JsonReader reader)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                AppendObject(ref reader);
                break;
            case JsonTokenType.StartArray:
                AppendArray(ref reader);
                break;
            case JsonTokenType.String:
                AppendText(ref reader);
                break;
            case JsonTokenType.Number:
                _length += CanonicalNumber.Format(reader.ValueSpan, Room(CanonicalNumber.RoomFor(reader.ValueSpan)));
                break;
            default:
                AppendRaw(reader.ValueSpan);
                break;
        }
    }

    private void AppendArray(ref Utf8JsonReader reader)
    {
        AppendRaw((byte)'[');
        bool first = true;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (!first)
                AppendRaw((byte)',');
            first = false;
            AppendValue(ref reader);
        }
        AppendRaw((byte)']');
    }

    // Each property is written with a comma behind it, so that they can change places; the last comma goes at the end.
    private void AppendObject(ref Utf8JsonReader reader)
    {
        AppendRaw((byte)'{');
        int first = _propertyCount;
        bool inOrder = true;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            int start = _length;
            AppendText(ref reader);
            int keyEnd = _length;
            AppendRaw((byte)':');
            reader.Read();
            AppendValue(ref reader);
            AppendRaw((byte)',');
            if (_propertyCount == _properties.Length)
                Array.Resize(ref _properties, _properties.Length * 2);
            var property = new Property(start, keyEnd, _length);
            inOrder = inOrder && (_propertyCount == first || CanonicalKey.Compare(Key(_properties[_propertyCount - 1]), Key(property)) < 0);
            _properties[_propertyCount++] = property;
        }
        if (!inOrder)
            Sort(_properties.AsSpan(first.._propertyCount));
        if (_propertyCount > first)
            _length--;
        _propertyCount = first;
        AppendRaw((byte)'}');
    }

    private void Sort(Span<Property> properties)
    {
        int start = properties[0].Start;
        properties.Sort(new KeyOrder(_output));
        if (_scratch.Length < _length - start)
            _scratch = new byte[_output.Length];
        int length = 0;
        for (int i = 0; i < properties.Length; i++)
        {
            Property property = properties[i];
            // Of the same name the last recorded counts.
            if (i + 1 < properties.Length && CanonicalKey.Compare(Key(property), Key(properties[i + 1])) == 0)
                continue;
            _output.AsSpan(property.Start..property.End).CopyTo(_scratch.AsSpan(length));
            length += property.End - property.Start;
        }
        _scratch.AsSpan(0, length).CopyTo(_output.AsSpan(start));
        _length = start + length;
    }

    private CanonicalKey Key(Property property) => KeyOrder.Key(_output, property);

    private void AppendText(ref Utf8JsonReader reader)
    {
        // Without an escape it needs none: JSON has no control characters, quotes and backslashes but escaped.
        if (!reader.ValueIsEscaped)
        {
            AppendRaw((byte)'"');
            AppendRaw(reader.ValueSpan);
            AppendRaw((byte)'"');
            return;
        }
        int most = reader.ValueSpan.Length;
        byte[]? rented = null;
        Span<byte> text = most > OnStack ? (rented = ArrayPool<byte>.Shared.Rent(most)) : stackalloc byte[OnStack];
        AppendText(text[..reader.CopyString(text)]);
        if (rented is not null)
            ArrayPool<byte>.Shared.Return(rented);
    }

    private void AppendText(ReadOnlySpan<byte> utf8)
    {
        AppendRaw((byte)'"');
        while (!utf8.IsEmpty)
        {
            int plain = CanonicalKey.FirstEscaped(utf8);
            AppendRaw(plain < 0 ? utf8 : utf8[..plain]);
            if (plain < 0)
                break;
            AppendEscape(utf8[plain]);
            utf8 = utf8[(plain + 1)..];
        }
        AppendRaw((byte)'"');
    }

    private void AppendEscape(byte character)
    {
        int named = "\b\t\n\f\r\"\\"u8.IndexOf(character);
        if (named >= 0)
        {
            AppendRaw((byte)'\\');
            AppendRaw("btnfr\"\\"u8[named]);
            return;
        }
        AppendRaw("\\u00"u8);
        AppendRaw("0123456789abcdef"u8[character >> 4]);
        AppendRaw("0123456789abcdef"u8[character & 15]);
    }

    private void AppendRaw(byte character)
    {
        Room(1)[0] = character;
        _length++;
    }

    private Span<byte> Room(int count)
    {
        if (_output.Length - _length < count)
            Array.Resize(ref _output, Math.Max(_output.Length * 2, _length + count));
        return _output.AsSpan(_length);
    }

    /// <summary>A property in the output: its name with quotes, and all of it with the comma behind.</summary>
    private readonly record struct Property(int Start, int KeyEnd, int End);

    private readonly struct KeyOrder(byte[] output) : IComparer<Property>
    {
        public static CanonicalKey Key(byte[] output, Property property) => new(output.AsSpan((property.Start + 1)..(property.KeyEnd - 1)));

        public int Compare(Property x, Property y)
        {
            int order = CanonicalKey.Compare(Key(output, x), Key(output, y));
            return order != 0 ? order : x.Start.CompareTo(y.Start);
        }
    }
}
