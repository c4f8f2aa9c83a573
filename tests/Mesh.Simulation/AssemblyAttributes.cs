using Xunit.Sdk;
using Xunit.v3;

// The clock waits for the thread pool of the process: it would wait for what other tests do there.
[assembly: Parallelization(Mode = ParallelMode.None)]
