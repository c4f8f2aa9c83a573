using System.Net;
using EventMesh.Conformance;
using EventMesh.Transport.Ngtcp2.Internal;
using Shouldly;
using Xunit;

namespace EventMesh.Transport.Ngtcp2.Tests;

/// <summary>Retry: who gets one, and what its token is worth.</summary>
public sealed class AddressValidationTests : ProviderTests
{
    private const ulong Second = 1_000_000_000;

    [Theory]
    [InlineData(RetryMode.Always, 1)]
    [InlineData(RetryMode.Auto, 0)]
    [InlineData(RetryMode.Never, 0)]
    public async Task Retry_is_asked_for_as_configured(RetryMode mode, long expected)
    {
        ITransportEndpoint server = await ServerAsync(o => o with { Retry = mode });

        await ConnectAsync(server, await ClientAsync());

        LoopOf(server).Counters.Retries.ShouldBe(expected);
    }

    [Fact]
    public async Task Token_from_another_address_is_refused()
    {
        ITransportEndpoint server = await ServerAsync();
        await using var proxy = new UdpProxy(server.LocalEndPoint);
        bool rebound = false;
        proxy.Fate = (datagram, toServer) =>
        {
            // The Retry has come: what follows carries its token from another port.
            if (!toServer && !rebound)
            {
                rebound = true;
                proxy.Rebind();
            }
            return [datagram];
        };

        MeshException refusal = await Fails(MeshError.ClosedByPeer, (await ClientAsync()).ConnectAsync(proxy.LocalEndPoint, CancellationToken.None));

        refusal.RemoteCode.ShouldBe(0xbUL, "INVALID_TOKEN");
        LoopOf(server).Counters.TokensRejected.ShouldBeGreaterThan(0);
        LoopOf(server).Counters.Connections.ShouldBe(0);
    }

    [Fact]
    public void Auto_asks_above_four_handshakes_of_a_prefix_and_above_thirty_two_of_all()
    {
        var admission = new Admission(RetryMode.Auto, acceptBacklog: 512);
        for (int i = 0; i < 4; i++)
        {
            admission.NeedsRetry(prefix: 1).ShouldBeFalse();
            admission.OnHandshakeStarted(prefix: 1, unvalidated: true);
        }
        admission.NeedsRetry(prefix: 1).ShouldBeTrue();
        admission.NeedsRetry(prefix: 2).ShouldBeFalse();

        for (ulong prefix = 2; admission.Unvalidated < 32; prefix++)
            admission.OnHandshakeStarted(prefix, unvalidated: true);
        admission.NeedsRetry(prefix: 1000).ShouldBeTrue();

        admission.OnHandshakeEnded(prefix: 1, unvalidated: true);
        admission.NeedsRetry(prefix: 1).ShouldBeFalse();
        admission.OnHandshakeStarted(prefix: 1, unvalidated: false);
        admission.NeedsRetry(prefix: 1).ShouldBeFalse("a validated handshake does not count");
    }

    [Fact]
    public void Secret_makes_tokens_for_thirty_seconds_and_counts_for_sixty()
    {
        var secrets = new RetrySecrets(now: 100);
        byte[] first = secrets.Current(100).ToArray();

        secrets.Current(100 + (29 * Second)).ToArray().ShouldBe(first);
        secrets.Current(100 + (30 * Second)).ToArray().ShouldNotBe(first);
        secrets.Previous(100 + (59 * Second)).ToArray().ShouldBe(first);
        secrets.Previous(100 + (60 * Second)).ToArray().ShouldNotBe(first);
    }

    [Fact]
    public void Secret_does_not_outlive_a_long_silence()
    {
        var secrets = new RetrySecrets(now: 0);
        byte[] first = secrets.Current(0).ToArray();

        secrets.Previous(600 * Second).ToArray().ShouldNotBe(first);
        secrets.Current(600 * Second).ToArray().ShouldNotBe(first);
    }

    [Theory]
    [InlineData("10.1.2.3", "10.1.2.4", false)]
    [InlineData("10.1.2.3", "::ffff:10.1.2.3", true)]
    [InlineData("2001:db8:1:1200::1", "2001:db8:1:12ff::2", true)]
    [InlineData("2001:db8:1:1200::1", "2001:db8:1:1300::1", false)]
    public void Sources_are_counted_by_prefix(string left, string right, bool same) => (Prefix(left) == Prefix(right)).ShouldBe(same);

    private static unsafe ulong Prefix(string address)
    {
        byte* raw = stackalloc byte[NativeAddress.MaxLength];
        NativeAddress.Write(raw, new IPEndPoint(IPAddress.Parse(address), 1));
        return NativeAddress.SourcePrefix(raw);
    }
}
