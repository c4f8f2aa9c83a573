using System.Runtime.Versioning;

// The tests look at Unix sockets, file modes, processes and signals.
[assembly: UnsupportedOSPlatform("windows")]
