using EventMesh.Host.Doctor;
using EventMesh.Host.Errors;
using EventMesh.Node;
using EventMesh.Transport;
using Microsoft.Extensions.Options;

namespace EventMesh.Host.Tests.Doctor;

public sealed class MeshDoctorTests
{
    private readonly MeshOptions _options = new() { DataDirectory = Path.Combine(Path.GetTempPath(), "mesh-doctor-none"), Listen = "127.0.0.1:0" };

    [Fact]
    public async Task Auto_takes_the_first_in_order_that_works()
    {
        DoctorReport report = await ExamineAsync(new Provider("second", 2, true), new Provider("first", 1, true), new Provider("zeroth", 0, false));
        report.CanStart.ShouldBeTrue();
        report.Transport.ShouldBe("first");
        MeshDoctor.GetExitCode(report).ShouldBe(ExitCode.Success);
    }

    [Fact]
    public async Task A_provider_that_is_asked_for_and_missing_is_told_with_the_remedy()
    {
        _options.Transport.Provider = "msquic";
        DoctorReport report = await ExamineAsync(new Provider("ngtcp2", 1, true), new Provider("msquic", 2, false));
        report.CanStart.ShouldBeFalse();
        report.Transport.ShouldBeNull();
        MeshDoctor.GetExitCode(report).ShouldBe(ExitCode.TransportUnavailable);
        report.Checks.ShouldContain(c => c.Status == DoctorStatus.Failed && c.Detail.Contains("msquic") && (c.Remedy ?? c.Detail).Contains("install msquic"));
    }

    [Fact]
    public async Task The_exit_code_is_that_of_the_first_problem_and_all_are_told()
    {
        _options.Listen = "192.0.2.1:4433";
        DoctorReport report = await ExamineAsync(new Provider("ngtcp2", 1, false));
        report.Checks.Count(c => c.Status == DoctorStatus.Failed).ShouldBe(2);
        MeshDoctor.GetExitCode(report).ShouldBe(ExitCode.TransportUnavailable);
    }

    [Fact]
    public async Task A_port_in_use_is_told()
    {
        using System.Net.Sockets.UdpClient taken = new(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0));
        _options.Listen = taken.Client.LocalEndPoint!.ToString()!;
        MeshDoctor.GetExitCode(await ExamineAsync(new Provider("ngtcp2", 1, true))).ShouldBe(ExitCode.AddressUnavailable);
    }

    [Fact]
    public async Task A_data_directory_that_is_a_file_is_told()
    {
        _options.DataDirectory = Path.Combine(typeof(MeshDoctorTests).Assembly.Location, "data");
        MeshDoctor.GetExitCode(await ExamineAsync(new Provider("ngtcp2", 1, true))).ShouldBe(ExitCode.DataDirectory);
    }

    [Fact]
    public async Task A_probe_that_throws_is_a_finding_and_the_others_go_on()
    {
        DoctorReport report = await new MeshDoctor([new ThrowingProbe(), new PortProbe(Options.Create(_options))]).ExamineAsync(CancellationToken.None);
        report.Checks.Count.ShouldBe(2);
        report.CanStart.ShouldBeFalse();
    }

    private Task<DoctorReport> ExamineAsync(params ITransportProvider[] providers)
    {
        IOptions<MeshOptions> options = Options.Create(_options);
        return new MeshDoctor([new QuicProbe(new TransportSelector(providers), options), new DataDirectoryProbe(options), new PortProbe(options)])
            .ExamineAsync(CancellationToken.None);
    }

    private sealed class Provider(string name, int order, bool isSupported) : ITransportProvider
    {
        public string Name => name;

        public int Order => order;

        public TransportSupport Probe() => new(isSupported, isSupported ? "here" : "lib missing", isSupported ? null : $"install {name}");

        public ITransport Create() => new Transport(name);
    }

    private sealed class Transport(string name) : ITransport
    {
        public string Name => name;

        public TransportCapabilities Capabilities => TransportCapabilities.None;

        public Task<ITransportEndpoint> BindAsync(TransportEndpointOptions options, CancellationToken cancellationToken) => throw new NotSupportedException();
    }

    private sealed class ThrowingProbe : IDoctorProbe
    {
        public Task<IReadOnlyList<DoctorCheck>> ExamineAsync(CancellationToken cancellationToken) => throw new InvalidOperationException("broken");
    }
}
