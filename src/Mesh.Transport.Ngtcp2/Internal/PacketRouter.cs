using EventMesh.Transport.Ngtcp2.Interop;

namespace EventMesh.Transport.Ngtcp2.Internal;

/// <summary>Brings each datagram to its connection, and answers those that have none. Loop thread only.</summary>
internal sealed unsafe class PacketRouter(EventLoop loop)
{
    // RFC 9000 10.3: shorter ones look less like a packet of a connection.
    private const int MaxResetLength = 42;
    private const int MinResetLength = 21;
    private const int LongHeader = 0x80;
    private const ulong RetryTokenLifetime = 10_000_000_000;
    private const int AnswersPerSecond = 1000;

    private readonly RateLimit _answers = new(AnswersPerSecond);
    private readonly RetrySecrets _retrySecrets = new(loop.Now);

    public void Route(ngtcp2_path* path, byte* packet, int length, ulong now)
    {
        loop.Counters.Received++;
        ngtcp2_version_cid ids = default;
        int result = length == 0 ? -1 : Native.ngtcp2_pkt_decode_version_cid(&ids, packet, (nuint)length, ConnectionId.OwnLength);
        if (result == Native.NGTCP2_ERR_VERSION_NEGOTIATION)
        {
            NegotiateVersion(path, ids, now);
            return;
        }
        if (result != 0 || ids.dcidlen > Native.NGTCP2_MAX_CIDLEN)
        {
            loop.Counters.Dropped++;
            return;
        }
        if (loop.Routes.Find(new ConnectionId(ids.dcid, ids.dcidlen)) is { } target)
            target.Receive(path, packet, length, now);
        else if ((packet[0] & LongHeader) == 0)
            HandleUnknown(path, packet, length, ids, now);
        else
            HandleInitial(path, packet, length, now);
    }

    private void NegotiateVersion(ngtcp2_path* path, in ngtcp2_version_cid ids, ulong now)
    {
        if (!loop.Settings.Listen || !_answers.TryTake(now))
        {
            loop.Counters.Dropped++;
            return;
        }
        byte* answer = stackalloc byte[DatagramSender.MaxDatagram];
        uint version = Native.NGTCP2_PROTO_VER_V1;
        byte random;
        loop.Random.Fill(new Span<byte>(&random, 1));
        nint written = Native.ngtcp2_pkt_write_version_negotiation(
            answer, DatagramSender.MaxDatagram, random, ids.scid, ids.scidlen, ids.dcid, ids.dcidlen, &version, 1);
        loop.Counters.VersionNegotiations++;
        Answer(path, answer, written);
    }

    /// <summary>A packet of a connection that we don't know: the peer resets it, or we do.</summary>
    private void HandleUnknown(ngtcp2_path* path, byte* packet, int length, in ngtcp2_version_cid ids, ulong now)
    {
        const int TokenLength = Native.NGTCP2_STATELESS_RESET_TOKENLEN;
        if (length >= MinResetLength && loop.Routes.FindByResetToken(new ConnectionId(packet + length - TokenLength, TokenLength)) is { } target)
        {
            target.Receive(path, packet, length, now);
            return;
        }
        // An answer shorter than what it answers can't go back and forth for ever.
        if (length <= MaxResetLength || !_answers.TryTake(now))
        {
            loop.Counters.Dropped++;
            return;
        }
        ngtcp2_cid id;
        id.datalen = ConnectionId.OwnLength;
        new ReadOnlySpan<byte>(ids.dcid, ConnectionId.OwnLength).CopyTo(new Span<byte>(id.data, ConnectionId.OwnLength));
        byte* token = stackalloc byte[TokenLength];
        if (!loop.WriteResetToken(token, &id))
            return;
        const int RandomLength = MaxResetLength - TokenLength;
        byte* random = stackalloc byte[RandomLength];
        loop.Random.Fill(new Span<byte>(random, RandomLength));
        byte* answer = stackalloc byte[MaxResetLength];
        nint written = Native.ngtcp2_pkt_write_stateless_reset(answer, MaxResetLength, token, random, RandomLength);
        loop.Counters.Resets++;
        Answer(path, answer, written);
    }

    /// <summary>A client's first packet.</summary>
    private void HandleInitial(ngtcp2_path* path, byte* packet, int length, ulong now)
    {
        ngtcp2_pkt_hd header;
        if (!loop.Settings.Listen || Native.ngtcp2_accept(&header, packet, (nuint)length) != 0)
        {
            loop.Counters.Dropped++;
            return;
        }
        if (loop.Settings.AdmitSource is { } admits && !IsAdmitted(admits, path))
        {
            // No token, no handshake: one short answer to a full datagram.
            loop.Counters.Refused++;
            if (_answers.TryTake(now))
                Refuse(path, &header, Native.NGTCP2_CONNECTION_REFUSED);
            return;
        }
        ngtcp2_cid originalDestination = header.dcid;
        bool hasToken = header.tokenlen > 0 && header.token[0] == Native.NGTCP2_CRYPTO_TOKEN_MAGIC_RETRY2;
        if (hasToken && !VerifyToken(path, &header, &originalDestination, now))
        {
            loop.Counters.TokensRejected++;
            Refuse(path, &header, Native.NGTCP2_INVALID_TOKEN);
            return;
        }
        if (!hasToken && loop.Admission.NeedsRetry(NativeAddress.SourcePrefix(path->remote.addr)))
        {
            SendRetry(path, &header, now);
            return;
        }
        if (!loop.Admission.HasRoom)
        {
            loop.Counters.Refused++;
            Refuse(path, &header, Native.NGTCP2_CONNECTION_REFUSED);
            return;
        }
        var connection = new Connection(loop, isDialer: false, NativeAddress.Read(path->remote.addr));
        if (connection.Accept(&header, path, &originalDestination, hasToken))
            connection.Receive(path, packet, length, now);
        else
            loop.Counters.Dropped++;
    }

    private static bool IsAdmitted(Func<System.Net.IPAddress, bool> admits, ngtcp2_path* path)
    {
        try
        {
            return admits(NativeAddress.Read(path->remote.addr).Address);
        }
        catch (Exception)
        {
            // A decision that could not be made is a refusal, and the loop goes on.
            return false;
        }
    }

    private bool VerifyToken(ngtcp2_path* path, ngtcp2_pkt_hd* header, ngtcp2_cid* originalDestination, ulong now) =>
        VerifyToken(path, header, originalDestination, _retrySecrets.Current(now), now)
        || VerifyToken(path, header, originalDestination, _retrySecrets.Previous(now), now);

    private static bool VerifyToken(ngtcp2_path* path, ngtcp2_pkt_hd* header, ngtcp2_cid* originalDestination, ReadOnlySpan<byte> secret, ulong now)
    {
        fixed (byte* key = secret)
        {
            return Native.ngtcp2_crypto_verify_retry_token2(
                originalDestination, header->token, header->tokenlen, key, (nuint)secret.Length, header->version,
                path->remote.addr, path->remote.addrlen, &header->dcid, RetryTokenLifetime, now) == 0;
        }
    }

    private void SendRetry(ngtcp2_path* path, ngtcp2_pkt_hd* header, ulong now)
    {
        ngtcp2_cid source;
        loop.Random.Fill(&source, ConnectionId.OwnLength);
        byte* token = stackalloc byte[Native.NGTCP2_CRYPTO_MAX_RETRY_TOKENLEN2];
        byte* answer = stackalloc byte[DatagramSender.MaxDatagram];
        nint tokenLength;
        ReadOnlySpan<byte> secret = _retrySecrets.Current(now);
        fixed (byte* key = secret)
        {
            tokenLength = Native.ngtcp2_crypto_generate_retry_token2(
                token, key, (nuint)secret.Length, header->version, path->remote.addr, path->remote.addrlen, &source, &header->dcid, now);
        }
        if (tokenLength <= 0)
            return;
        nint written = Native.ngtcp2_crypto_write_retry(
            answer, DatagramSender.MaxDatagram, header->version, &header->scid, &source, &header->dcid, token, (nuint)tokenLength);
        loop.Counters.Retries++;
        Answer(path, answer, written);
    }

    /// <summary>Closes a connection that was never made.</summary>
    private void Refuse(ngtcp2_path* path, ngtcp2_pkt_hd* header, ulong code)
    {
        byte* answer = stackalloc byte[DatagramSender.MaxDatagram];
        nint written = Native.ngtcp2_crypto_write_connection_close(
            answer, DatagramSender.MaxDatagram, header->version, &header->scid, &header->dcid, code, null, 0);
        Answer(path, answer, written);
    }

    private void Answer(ngtcp2_path* path, byte* answer, nint length)
    {
        if (length > 0)
            loop.Sender.SendNow(path->remote, new ReadOnlySpan<byte>(answer, (int)length));
    }
}
