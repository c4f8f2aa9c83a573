using System.Net;
using System.Text;
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
        Check(errors, "Journal:MaxSpoolBytes", options.Journal.MaxSpoolBytes, 1024 * 1024, long.MaxValue);
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

    private static void Check<T>(List<string> errors, string key, T value, T least, T most)
        where T : IComparable<T>
    {
        if (value.CompareTo(least) < 0 || value.CompareTo(most) > 0) errors.Add($"{key} must be between {least} and {most}, not {value}.");
    }
}
