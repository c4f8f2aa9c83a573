using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Projections;
using EventMesh.Trust;
using EventMesh.Trust.Internal;
using EventMesh.Wire;
using EventMesh.Wire.Frames;
using KeySuccession = EventMesh.Trust.KeySuccession;

namespace EventMesh.Sessions.Internal;

/// <summary>The peer's certificates while its connections stand, and changes of its key.</summary>
internal sealed partial class PeerSession
{
    /// <summary>Ends the session when its key or one of its certificates is not accepted any more.</summary>
    public async Task ReviewCertificatesAsync()
    {
        try
        {
            if (SuccessionJudge.Judge(Host.Journal.State.Keys, Peer, []).Code is { } code)
            {
                await EndAsync(CloseReason.Local, code).ConfigureAwait(false);
                return;
            }
            foreach (PeerConnection connection in Connections())
            {
                if (await Host.Gate.JudgeAsync(connection.Transport).ConfigureAwait(false) is not { } refusal) continue;
                Host.Gate.Report(connection.Transport, refusal);
                await EndAsync(CloseReason.Local, WireCode.CertificateRefused).ConfigureAwait(false);
                return;
            }
        }
        catch (MeshException)
        {
            // Too many strangers wait for their verdict: the next look will do.
        }
    }

    /// <summary>Judges the changes of its key that the peer tells of; null when the peer is accepted.</summary>
    private WireCode? JudgeSuccession(PeerConnection connection, Hello hello)
    {
        KeySuccession?[] statements = hello.Succession.Count > WireLimits.Successions ? [null] : [.. hello.Succession.Select(KeySuccessionCodec.FromFrame)];
        if (statements.Contains(null)) throw Violation("A Hello with a malformed key succession.");
        connection.Succession = statements!;
        string? isFalse = SuccessionJudge.WhyFalse(Host.Journal.State.Keys, Peer, connection.Succession);
        if (isFalse is not null) return Refuse(connection, WireCode.CertificateRefused, isFalse);
        SuccessionVerdict verdict = SuccessionJudge.Judge(Host.Journal.State.Keys, Peer, connection.Succession);
        if (verdict.Code is not { } code) return null;
        if (verdict.Changes.Count > 0)
        {
            // Decided on the state as it is then: another connection may have told of the same.
            IReadOnlyList<RecordedEvent> recorded = Host.Journal.Decide(state => SuccessionJudge.Judge(state.Keys, Peer, connection.Succession) is { Code: not null } final ? final.Changes : []);
            foreach (SuccessionDisputed dispute in recorded.Select(e => e.Data).OfType<SuccessionDisputed>()) _table.OnDisputed(dispute, this);
        }
        return Refuse(connection, code, verdict.Reason!);
    }

    private WireCode Refuse(PeerConnection connection, WireCode code, string reason)
    {
        connection.RefusalReason = reason;
        Host.Gate.ReportSuccession(connection.Transport, code, reason);
        return code;
    }

    /// <summary>The changes of its key that an accepted peer told of and that the log does not know.</summary>
    private IReadOnlyList<IMeshEvent> NewSuccession(MeshState state, PeerConnection connection) =>
        connection.Succession.Count > 0 && SuccessionJudge.Judge(state.Keys, Peer, connection.Succession) is { Code: null } verdict ? verdict.Changes : [];
}
