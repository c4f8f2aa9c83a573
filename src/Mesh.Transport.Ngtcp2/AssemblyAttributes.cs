using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

// Every native signature here is blittable; without this attribute the runtime would still look for something to marshal.
[assembly: DisableRuntimeMarshalling]
// The libraries come from the distribution's directories only, never from the application's.
[assembly: DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
