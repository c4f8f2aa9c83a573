using System.Net;
using System.Text;
using EventMesh.Events;
using EventMesh.Trust.Internal;
using EventMesh.Wire;
using Microsoft.Extensions.Options;

namespace EventMesh.Node;

/// <summary>Checks the settings of a node and reports all errors at once.</summary>
internal sealed class MeshOptionsValidator : IValidateOptions<MeshOptions>
{
    public ValidateOptionsResult Validate(string? name, MeshOptions options)
    {
        List<string> errors = [];
        if (Encoding.UTF8.GetByteCount(options.MeshName) is 0 or > WireLimits.MeshName)
            errors.Add($"MeshName must have 1 to {WireLimits.MeshName} bytes of UTF-8.");
        if (!IPEndPoint.TryParse(options.Listen, out _))
            errors.Add($"Listen must be an address and a port such as 0.0.0.0:4433 or [::]:4433, not '{options.Listen}'.");
        foreach (string contact in options.Contacts)
        {
            if (!ContactAddress.TryParse(contact, out _, out _))
                errors.Add($"Contacts must be host:port such as 192.0.2.1:4433 or node.example:4433, not '{contact}'.");
        }
        if (string.IsNullOrWhiteSpace(options.DataDirectory)) errors.Add("DataDirectory must not be empty.");
        if (options.Transport.Provider is not ("auto" or "ngtcp2" or "msquic"))
            errors.Add($"Transport:Provider must be auto, ngtcp2 or msquic, not '{options.Transport.Provider}'.");
        Check(errors, "Transport:IdleTimeout", options.Transport.IdleTimeout, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10));
        Check(errors, "Transport:KeepAliveInterval", options.Transport.KeepAliveInterval, TimeSpan.Zero, TimeSpan.FromMinutes(10));
        Check(errors, "Transport:HandshakeTimeout", options.Transport.HandshakeTimeout, TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(1));
        Check(errors, "Bootstrap:Stagger", options.Bootstrap.Stagger, TimeSpan.Zero, TimeSpan.FromSeconds(10));
        Check(errors, "Bootstrap:RetryDelay", options.Bootstrap.RetryDelay, TimeSpan.FromMilliseconds(10), TimeSpan.FromHours(1));
        Check(errors, "Bootstrap:MaxRetryDelay", options.Bootstrap.MaxRetryDelay, options.Bootstrap.RetryDelay, TimeSpan.FromHours(24));
        Check(errors, "Bootstrap:ReverseCheckTimeout", options.Bootstrap.ReverseCheckTimeout, TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(1));
        Check(errors, "Bootstrap:TargetPeers", options.Bootstrap.TargetPeers, 0, 128);
        Check(errors, "Limits:MaxPeers", options.Limits.MaxPeers, 1, 65_536);
        Check(errors, "Limits:MaxInboundPeers", options.Limits.MaxInboundPeers, 0, options.Limits.MaxPeers);
        Check(errors, "Limits:MaxConnectionsPerSource", options.Limits.MaxConnectionsPerSource, 1, 65_536);
        Check(errors, "Limits:MaxConnectionsPerPrivateSource", options.Limits.MaxConnectionsPerPrivateSource, 1, 65_536);
        Check(errors, "Limits:MaxMessageBytes", options.Limits.MaxMessageBytes, 64 * 1024, 1024 * 1024 * 1024);
        Check(errors, "Limits:SendQueueMessages", options.Limits.SendQueueMessages, 1, 1_000_000);
        Check(errors, "Limits:SendQueueBytes", options.Limits.SendQueueBytes, 64 * 1024, 1024 * 1024 * 1024);
        Check(errors, "Limits:MaxRunningRequests", options.Limits.MaxRunningRequests, 1, 65_536);
        Check(errors, "Journal:BatchSize", options.Journal.BatchSize, 1, 10_000);
        Check(errors, "Journal:BatchDelay", options.Journal.BatchDelay, TimeSpan.Zero, TimeSpan.FromSeconds(10));
        Check(errors, "Journal:SpoolAfter", options.Journal.SpoolAfter, TimeSpan.FromMilliseconds(1), TimeSpan.FromMinutes(1));
        Check(errors, "Journal:SpoolLimit", options.Journal.SpoolLimit, 1024 * 1024, 1L << 50);
        Check(errors, "Journal:NewPeersPerMinute", options.Journal.NewPeersPerMinute, 1, 1_000_000);
        Check(errors, "Journal:SealInterval", options.Journal.SealInterval, TimeSpan.FromSeconds(1), TimeSpan.FromDays(30));
        CheckTrust(errors, options.Trust);
        Check(errors, "Cache:MaxPerPrefix", options.Cache.MaxPerPrefix, 1, 200);
        if (options.Cache.FeelerInterval != TimeSpan.Zero)
            Check(errors, "Cache:FeelerInterval", options.Cache.FeelerInterval, TimeSpan.FromSeconds(1), TimeSpan.FromHours(24));
        Check(errors, "Limits:HighWatermark", options.Limits.HighWatermark, 0, options.Limits.MaxPeers);
        Check(errors, "Limits:LowWatermark", options.Limits.LowWatermark, 0, options.Limits.High);
        Check(errors, "Limits:TrimGrace", options.Limits.TrimGrace, TimeSpan.Zero, TimeSpan.FromHours(1));
        Check(errors, "Bootstrap:ReverseCheckInterval", options.Bootstrap.ReverseCheckInterval, TimeSpan.FromSeconds(1), TimeSpan.FromHours(24));
        Check(errors, "Limits:ConnectionsPerSecondPerSource", options.Limits.ConnectionsPerSecondPerSource, 0.01, 1_000_000);
        Check(errors, "Limits:ConnectionBurstPerSource", options.Limits.ConnectionBurstPerSource, 1, 1_000_000);
        Check(errors, "Limits:ConnectionsPerSecondPerPrivateSource", options.Limits.ConnectionsPerSecondPerPrivateSource, 0.01, 1_000_000);
        Check(errors, "Limits:ConnectionBurstPerPrivateSource", options.Limits.ConnectionBurstPerPrivateSource, 1, 1_000_000);
        Check(errors, "Limits:MessagesPerSecondPerPeer", options.Limits.MessagesPerSecondPerPeer, 1, 1_000_000_000);
        Check(errors, "Limits:BytesPerSecondPerPeer", options.Limits.BytesPerSecondPerPeer, 64 * 1024, 1024L * 1024 * 1024 * 1024);
        Check(errors, "Limits:ControlFramesPerSecondPerPeer", options.Limits.ControlFramesPerSecondPerPeer, 1, 1_000_000);
        Check(errors, "Limits:ControlFrameBurstPerPeer", options.Limits.ControlFrameBurstPerPeer, 16, 1_000_000);
        Check(errors, "Limits:AbuseScore", options.Limits.AbuseScore, 1, 1_000_000);
        Check(errors, "Limits:AbuseHalfLife", options.Limits.AbuseHalfLife, TimeSpan.FromSeconds(1), TimeSpan.FromDays(1));
        Check(errors, "Limits:AbuseBlock", options.Limits.AbuseBlock, TimeSpan.Zero, TimeSpan.FromDays(365));
        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }

    private static void CheckTrust(List<string> errors, TrustOptions trust)
    {
        if (!Enum.IsDefined(trust.Mode)) errors.Add($"Trust:Mode must be encrypted, privateAuthority or publicAuthority, not {(int)trust.Mode}.");
        if (trust.Mode == TrustMode.PrivateAuthority && trust.Roots.Count == 0)
            errors.Add("Trust:Roots must name the authority's root certificate in trust mode PrivateAuthority.");
        if (trust.Mode == TrustMode.PublicAuthority && trust.AllowedNames.Count == 0)
            errors.Add("Trust:AllowedNames must name the peers' DNS names in trust mode PublicAuthority: any web site has a valid certificate.");
        if (trust.Mode == TrustMode.PublicAuthority && trust.DnsName is null)
            errors.Add("Trust:DnsName must be this node's own DNS name in trust mode PublicAuthority.");
        foreach (string file in trust.Roots.Concat(trust.RevocationLists).Where(file => !File.Exists(file)))
            errors.Add($"Trust: there is no file '{file}'.");
        foreach (string rule in trust.AllowedNames.Where(rule => !DnsNames.IsValidRule(rule)))
            errors.Add($"Trust:AllowedNames must be DNS names such as node1.example.org, or suffixes such as .example.org, not '{rule}'.");
        if (trust.Mode == TrustMode.PublicAuthority)
        {
            foreach (string rule in trust.AllowedNames.Where(rule => DnsNames.IsSuffix(rule) && !rule[1..].Contains('.', StringComparison.Ordinal)))
                errors.Add($"Trust:AllowedNames: '{rule}' would allow everybody who buys a name below it.");
        }
        if (trust.DnsName is { } name && !DnsNames.IsValid(name)) errors.Add($"Trust:DnsName must be a DNS name such as node1.example.org, not '{name}'.");
    }

    private static void Check<T>(List<string> errors, string key, T value, T least, T most)
        where T : IComparable<T>
    {
        if (value.CompareTo(least) < 0 || value.CompareTo(most) > 0) errors.Add($"{key} must be between {least} and {most}, not {value}.");
    }
}
