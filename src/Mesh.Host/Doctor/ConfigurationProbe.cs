using EventMesh.Host.Errors;
using EventMesh.Host.Hosting;
using Microsoft.Extensions.Options;

namespace EventMesh.Host.Doctor;

/// <summary>Examines the configuration as a start does: all values at once.</summary>
internal sealed class ConfigurationProbe(IServiceProvider services) : IDoctorProbe
{
    private const string Name = "configuration";

    public Task<IReadOnlyList<DoctorCheck>> ExamineAsync(CancellationToken cancellationToken)
    {
        List<DoctorCheck> checks = [];
        foreach (Func<IServiceProvider, object> read in MeshComposition.OptionReaders)
        {
            try
            {
                read(services);
            }
            catch (OptionsValidationException e)
            {
                checks.AddRange(e.Failures.Select(f => DoctorCheck.Failed(Name, new MeshException(MeshError.InvalidConfiguration, f))));
            }
            catch (Exception e)
            {
                checks.Add(DoctorCheck.Failed(Name, e.ToMeshException()));
            }
        }
        if (checks.Count == 0) checks.Add(DoctorCheck.Ok(Name, "all values are valid"));
        return Task.FromResult<IReadOnlyList<DoctorCheck>>(checks);
    }
}
