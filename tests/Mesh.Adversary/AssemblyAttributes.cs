using Xunit.Sdk;
using Xunit.v3;

// The tests measure the heap of the process: one at a time.
[assembly: Parallelization(Mode = ParallelMode.None)]
