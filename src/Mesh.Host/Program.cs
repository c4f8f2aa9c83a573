using EventMesh.Host.Commands;

return await MeshCommandLine.InvokeAsync(args, Console.Out, Console.Error);
