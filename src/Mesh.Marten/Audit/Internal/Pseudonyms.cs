using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace EventMesh.Marten.Audit.Internal;

/// <summary>
/// Replaces addresses by others of the range that stands for nobody (100::/64, RFC 6666), so that endpoints stay endpoints. They are a keyed hash of node, peer and address; the key
/// ends with this object, so nobody can try addresses out.
/// </summary>
internal sealed partial class Pseudonyms : IDisposable
{
    private const ulong Range = 0x0100_0000_0000_0000;

    private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);
    private readonly string _peer;
    private readonly string _owner;
    private readonly PeerAddresses _addresses;
    private readonly IReadOnlySet<IPAddress> _only;

    public Pseudonyms(string node, string peer, PeerAddresses addresses)
    {
        _peer = peer;
        _owner = $"{node} {peer} ";
        _addresses = addresses;
        _only = addresses.Only;
    }

    /// <summary>Whether an address is a pseudonym, of whatever erasure.</summary>
    public static bool IsOne(IPAddress address) =>
        address.AddressFamily == AddressFamily.InterNetworkV6 && BinaryPrimitives.ReadUInt64BigEndian(address.GetAddressBytes()) == Range;

    /// <summary>The content without the peer's addresses; null when there were none in it.</summary>
    public byte[]? Replace(byte[] data)
    {
        JsonNode? root = JsonNode.Parse(data);
        if (root is not JsonObject content)
            return null;
        using JsonDocument document = JsonDocument.Parse(data);
        bool isOwn = _addresses.IsOf(document.RootElement);
        bool changed = Walk(content, isOwn ? _addresses.Own : _only);
        if (isOwn)
            changed |= ReplaceAgent(content);
        return changed ? Encoding.UTF8.GetBytes(content.ToJsonString()) : null;
    }

    public void Dispose() => CryptographicOperations.ZeroMemory(_key);

    // What looks like an address, also in a text for people; an endpoint of IPv6 has brackets around it, a range a length behind it.
    [GeneratedRegex(@"(?<![0-9A-Za-z.:])(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?:\.\d{1,3}){0,3}(?:%\w+)?)(?:/(?<length>\d{1,3}))?(?![0-9A-Za-z.]*[0-9A-Za-z])", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Address();

    private bool ReplaceAgent(JsonObject content)
    {
        if (Text(content["agent"]) is not { } agent || agent.StartsWith("erased-", StringComparison.Ordinal))
            return false;
        content["agent"] = "erased-" + Convert.ToHexStringLower(Hash("agent").AsSpan(0, 4));
        return true;
    }

    private bool Walk(JsonNode node, IReadOnlySet<IPAddress> erased)
    {
        bool changed = false;
        if (node is JsonObject properties)
        {
            // What opens a month has a part for each peer.
            if (node.Parent is not null && Text(properties["peer"]) is { } of)
            {
                erased = of == _peer ? _addresses.Own : _only;
                changed = of == _peer && ReplaceAgent(properties);
            }
            foreach ((string name, JsonNode? value) in properties.ToArray())
            {
                if (Text(value) is { } text)
                    changed |= Set(Replace(text, erased), text, replaced => properties[name] = replaced);
                else if (value is not null)
                    changed |= Walk(value, erased);
            }
        }
        else if (node is JsonArray items)
        {
            for (int i = 0; i < items.Count; i++)
            {
                int at = i;
                if (Text(items[i]) is { } text)
                    changed |= Set(Replace(text, erased), text, replaced => items[at] = replaced);
                else if (items[i] is { } value)
                    changed |= Walk(value, erased);
            }
        }
        return changed;
    }

    private static string? Text(JsonNode? node) => node is JsonValue value && value.GetValueKind() == JsonValueKind.String ? value.GetValue<string>() : null;

    private static bool Set(string after, string before, Action<string> set)
    {
        if (after == before)
            return false;
        set(after);
        return true;
    }

    private string Replace(string text, IReadOnlySet<IPAddress> erased) => Address().Replace(text, match =>
    {
        string length = match.Groups["length"].Value;
        string bare = length.Length > 0 ? match.Value[..^(length.Length + 1)] : match.Value;
        if (!IPAddress.TryParse(bare, out IPAddress? address))
            return match.Value;
        if (length.Length == 0)
            return erased.Contains(address) ? Pseudonym(address, text, match.Index + match.Length) : match.Value;
        return Covers(address, int.Parse(length, System.Globalization.CultureInfo.InvariantCulture)) ? $"{Pseudonym(address)}/128" : match.Value;
    });

    // A range that stands for the peer alone: at least one address of its own, none of another peer's.
    private bool Covers(IPAddress address, int length)
    {
        bool Holds(IPAddress each) => each.AddressFamily == address.AddressFamily && SharesPrefix(each.GetAddressBytes(), address.GetAddressBytes(), length);
        return _only.Any(Holds) && !_addresses.Others.Any(Holds);
    }

    private static bool SharesPrefix(byte[] left, byte[] right, int length)
    {
        if (length > left.Length * 8)
            return false;
        for (int bit = 0; bit < length; bit++)
        {
            if (((left[bit / 8] ^ right[bit / 8]) & (0x80 >> (bit % 8))) != 0)
                return false;
        }
        return true;
    }

    // Behind an address of IPv4 may be its port: an address of IPv6 needs brackets then.
    private string Pseudonym(IPAddress address, string text, int end)
    {
        bool needsBrackets = address.AddressFamily == AddressFamily.InterNetwork && end < text.Length && text[end] == ':';
        return needsBrackets ? $"[{Pseudonym(address)}]" : Pseudonym(address).ToString();
    }

    private IPAddress Pseudonym(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, Range);
        Hash(address.ToString()).AsSpan(0, 8).CopyTo(bytes[8..]);
        return new IPAddress(bytes);
    }

    private byte[] Hash(string text) => HMACSHA256.HashData(_key, Encoding.UTF8.GetBytes(_owner + text));
}
