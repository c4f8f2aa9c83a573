using Microsoft.Extensions.Options;

namespace EventMesh.Plugins.Internal;

/// <summary>Reports all wrong values at once, each with its key and its range.</summary>
internal sealed class PluginOptionsValidator : IValidateOptions<PluginOptions>
{
    public ValidateOptionsResult Validate(string? name, PluginOptions options)
    {
        List<string> errors = [];
        Check(options.QueueLength is >= 1 and <= 1_048_576, nameof(options.QueueLength), options.QueueLength, "1 to 1,048,576 items");
        Check(options.QueueBytes >= 1, nameof(options.QueueBytes), options.QueueBytes, "at least 1 byte");
        Check(options.Concurrency is >= 1 and <= 1024, nameof(options.Concurrency), options.Concurrency, "1 to 1,024 handlers");
        Check(
            options.MaxRunningRequests is >= 1 and <= 65_536, nameof(options.MaxRunningRequests), options.MaxRunningRequests,
            "1 to 65,536 requests");
        CheckLimit(options.HandlerTimeout, nameof(options.HandlerTimeout));
        CheckLimit(options.LoadTimeout, nameof(options.LoadTimeout));
        Check(options.QuarantineAfter is >= 1 and <= 1_000_000, nameof(options.QuarantineAfter), options.QuarantineAfter, "1 to 1,000,000 failures");
        Check(
            options.StopTimeout >= TimeSpan.Zero && options.StopTimeout <= TimeSpan.FromMinutes(10),
            nameof(options.StopTimeout), options.StopTimeout, "00:00:00 to 00:10:00");
        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);

        void CheckLimit(TimeSpan value, string key) => Check(
            value >= TimeSpan.FromMilliseconds(10) && value <= TimeSpan.FromHours(1), key, value, "00:00:00.010 to 01:00:00");

        void Check(bool valid, string key, object value, string range)
        {
            if (!valid)
                errors.Add($"{PluginOptions.SectionName}:{key} is {value}; it must be {range}.");
        }
    }
}
