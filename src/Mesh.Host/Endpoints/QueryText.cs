using System.Globalization;
using System.Text;

namespace EventMesh.Host.Endpoints;

/// <summary>The query part of a request's address; values that are null are left out.</summary>
internal sealed class QueryText
{
    private readonly StringBuilder _text = new();

    /// <summary>Adds a value.</summary>
    public QueryText Add(string name, object? value)
    {
        if (value is null) return this;
        string text = value is DateTimeOffset time
            ? time.UtcDateTime.ToString("O", CultureInfo.InvariantCulture)
            : Convert.ToString(value, CultureInfo.InvariantCulture)!;
        _text.Append(_text.Length == 0 ? '?' : '&').Append(name).Append('=').Append(Uri.EscapeDataString(text));
        return this;
    }

    /// <summary>Nothing, or what follows the path.</summary>
    public override string ToString() => _text.ToString();
}
