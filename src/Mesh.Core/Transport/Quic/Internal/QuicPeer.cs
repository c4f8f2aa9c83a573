using System.Net;
using System.Net.Quic;
using System.Net.Security;
using System.Runtime.Versioning;
using System.Security.Cryptography.X509Certificates;
using EventMesh.Identity;
using Microsoft.Extensions.Logging;

namespace EventMesh.Transport.Quic.Internal;

/// <summary>What the callbacks of a handshake learn before there is a connection of ours: the peer's proof and its stream limits.</summary>
[SupportedOSPlatform("linux")]
[SupportedOSPlatform("macos")]
[SupportedOSPlatform("windows")]
internal sealed class QuicPeer(TransportEndpointOptions options, ILogger logger, bool isDialer, IPEndPoint? remote)
{
    public PeerId PeerId { get; private set; }

    public IReadOnlyList<ReadOnlyMemory<byte>> Chain { get; private set; } = [];

    public StreamCapacity Capacity { get; } = new();

    /// <summary>
    /// The runtime has checked the signature over the handshake and built a chain, of which nothing is used here: what is
    /// trusted is decided by <see cref="TransportEndpointOptions.VerifyPeer"/>.
    /// </summary>
    public bool Verify(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (certificate is not X509Certificate2 own)
            return false;
        try
        {
            var sent = new List<ReadOnlyMemory<byte>> { own.RawData };
            foreach (X509Certificate2 further in chain?.ChainPolicy.ExtraStore ?? [])
                sent.Add(further.RawData);
            PeerId = PeerId.FromCertificate(own);
            Chain = sent;
            IPEndPoint from = remote ?? QuicAddresses.Normalize(((QuicConnection)sender).RemoteEndPoint);
            return options.VerifyPeer(new PeerCertificate(PeerId, sent, from, isDialer));
        }
        catch (Exception exception)
        {
            Log.PeerVerificationThrew(logger, exception);
            return false;
        }
    }

    public void OnCapacityChanged(QuicConnection connection, QuicStreamCapacityChangedArgs args) =>
        Capacity.Add(args.UnidirectionalIncrement, args.BidirectionalIncrement);
}
