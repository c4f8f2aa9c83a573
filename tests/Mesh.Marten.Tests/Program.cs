using EventMesh.Marten.Tests;
using EventMesh.Marten.Tests.Embedded;
using EventMesh.Marten.Tests.Fleet;

if (ChildNode.IsChild(args))
    return await ChildNode.RunAsync(args);
if (ChildUpgrade.IsChild(args))
    return await ChildUpgrade.RunAsync(args);
if (ChildStore.IsChild(args))
    return await ChildStore.RunAsync(args);
// What xunit's generated entry point does.
return args.Any(argument => argument is "--server" or "--internal-msbuild-node")
    ? await Xunit.MicrosoftTestingPlatform.TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions)
    : await Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args);
