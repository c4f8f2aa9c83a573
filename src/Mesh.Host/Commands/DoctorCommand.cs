using System.CommandLine;
using EventMesh.Host.Doctor;
using EventMesh.Host.Errors;
using EventMesh.Host.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Spectre.Console;

namespace EventMesh.Host.Commands;

/// <summary><c>mesh doctor</c>.</summary>
internal static class DoctorCommand
{
    public static Command Create() =>
        new Command("doctor", "Say which transport and store a node would use here and why, what is missing, and how to install it.").ForNode().Runs(
            async (context, token) =>
            {
                NodeArguments arguments = context.GetNodeArguments();
                IConfigurationRoot configuration = MeshConfiguration.Build(context.Get(CommonOptions.Config), arguments);
                await using ServiceProvider services = NodeApplication.CreateDoctorServices(configuration, arguments).BuildServiceProvider();
                DoctorReport report = await services.GetRequiredService<MeshDoctor>().ExamineAsync(token);
                if (context.IsJson) context.WriteJson(report);
                else Print(context.Console, report);
                return MeshDoctor.GetExitCode(report);
            });

    private static void Print(IAnsiConsole console, DoctorReport report)
    {
        int width = report.Checks.Max(c => c.Name.Length);
        foreach (DoctorCheck check in report.Checks)
        {
            (string mark, Color color) = check.Status switch
            {
                DoctorStatus.Ok => ("ok", Color.Green),
                DoctorStatus.Note => ("note", Color.Yellow),
                _ => ("FAILED", Color.Red),
            };
            console.Write(mark.PadRight(8), new Style(color));
            console.WriteLine($"{check.Name.PadRight(width)}  {TextTable.Printable(check.Detail)}");
            if (check.Remedy is not null) console.WriteLine($"{"",8}{new string(' ', width)}  -> {TextTable.Printable(check.Remedy)}");
        }
        console.WriteLine();
        console.WriteLine(report.CanStart ? "A node can start here." : "A node can't start here.");
    }
}
