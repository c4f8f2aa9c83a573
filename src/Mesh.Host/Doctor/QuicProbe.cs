using EventMesh.Node;
using EventMesh.Transport;
using Microsoft.Extensions.Options;

namespace EventMesh.Host.Doctor;

/// <summary>Examines each QUIC provider, and says which a node would use and why.</summary>
internal sealed class QuicProbe(TransportSelector selector, IOptions<MeshOptions> options) : IDoctorProbe
{
    public Task<IReadOnlyList<DoctorCheck>> ExamineAsync(CancellationToken cancellationToken)
    {
        string wanted = options.Value.Transport.Provider;
        List<DoctorCheck> checks = [];
        string? chosen = null;
        try
        {
            TransportSelection selection = selector.Select(wanted);
            chosen = selection.Transport.Name;
            checks.Add(DoctorCheck.Ok(MeshDoctor.TransportCheck, $"{chosen} will be used: {selection.Reason}") with { Choice = chosen });
        }
        catch (MeshException e)
        {
            bool isAuto = string.Equals(wanted, TransportSelector.Auto, StringComparison.OrdinalIgnoreCase);
            string? remedy = selector.Probe()
                .FirstOrDefault(p => !p.Support.IsSupported && (isAuto || string.Equals(p.Name, wanted, StringComparison.OrdinalIgnoreCase)))?.Support.Remedy;
            // The message may name it already.
            if (remedy is not null && e.Message.Contains(remedy, StringComparison.Ordinal)) remedy = null;
            checks.Add(DoctorCheck.Failed(MeshDoctor.TransportCheck, e, remedy));
        }
        checks.AddRange(selector.Probe().Where(p => p.Name != chosen).Select(p => p.Support.IsSupported
            ? DoctorCheck.Ok(p.Name, $"works here too: {p.Support.Detail}")
            : DoctorCheck.Note(p.Name, p.Support.Detail, p.Support.Remedy)));
        return Task.FromResult<IReadOnlyList<DoctorCheck>>(checks);
    }
}
