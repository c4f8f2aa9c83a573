using System.Diagnostics;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using EventMesh.Transport.Ngtcp2.Interop;
using Shouldly;
using Xunit;

namespace EventMesh.Transport.Ngtcp2.Tests.Layout;

/// <summary>A structure that differs from its C declaration by one byte corrupts memory somewhere else: the C compiler is asked.</summary>
public sealed class NativeLayoutTests
{
    // 23 structures with 162 fields: fewer would mean that the program above was cut.
    private const int MinimumFacts = 181;

    [Fact]
    public async Task Structures_have_the_layout_of_the_headers()
    {
        string[] facts = await PrintLayoutAsync();

        facts.Length.ShouldBeGreaterThanOrEqualTo(MinimumFacts);
        facts.Select(Compare).Where(difference => difference is not null).ShouldBeEmpty();
    }

    private static string? Compare(string fact)
    {
        string[] parts = fact.Split(' ');
        int expected = int.Parse(parts[2]);
        Type? type = typeof(ngtcp2_cid).Assembly.GetType($"EventMesh.Transport.Ngtcp2.Interop.{parts[0]}");
        if (type is null)
            return $"{parts[0]} is missing";
        int actual = parts[1] == "." ? SizeOf(type) : (int)Marshal.OffsetOf(type, parts[1]);
        return actual == expected ? null : $"{parts[0]} {parts[1]}: {expected} in C, {actual} here";
    }

    private static int SizeOf(Type type) =>
        (int)typeof(Unsafe).GetMethod(nameof(Unsafe.SizeOf), BindingFlags.Public | BindingFlags.Static)!.MakeGenericMethod(type).Invoke(null, null)!;

    private static async Task<string[]> PrintLayoutAsync()
    {
        string source = Path.Combine(AppContext.BaseDirectory, "Layout", "layout.c");
        string program = Path.Combine(Directory.CreateTempSubdirectory("layout").FullName, "layout");
        try
        {
            (int code, string compiler) = await RunAsync("cc", source, "-o", program);
            if (code != 0)
                Assert.Skip($"The headers are missing (packages gcc, libngtcp2-dev, libngtcp2-crypto-gnutls-dev, libgnutls28-dev): {compiler}");
            (int result, string output) = await RunAsync(program);
            result.ShouldBe(0);
            return output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        }
        finally
        {
            Directory.Delete(Path.GetDirectoryName(program)!, recursive: true);
        }
    }

    private static async Task<(int Code, string Output)> RunAsync(string program, params string[] arguments)
    {
        try
        {
            using Process process = Process.Start(
                new ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true })!;
            Task<string> errors = process.StandardError.ReadToEndAsync();
            string output = await process.StandardOutput.ReadToEndAsync();
            await process.WaitForExitAsync();
            return (process.ExitCode, output + await errors);
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            return (-1, e.Message);
        }
    }
}
