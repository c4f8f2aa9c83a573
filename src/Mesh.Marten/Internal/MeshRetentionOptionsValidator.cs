using Microsoft.Extensions.Options;

namespace EventMesh.Marten.Internal;

internal sealed class MeshRetentionOptionsValidator : IValidateOptions<MeshRetentionOptions>
{
    public ValidateOptionsResult Validate(string? name, MeshRetentionOptions options)
    {
        var errors = new List<string>();
        if (options.CompressAfter is { } compress && compress < TimeSpan.FromDays(1))
            errors.Add($"EventMesh:Retention:CompressAfter '{compress}' is too short: at least 1 day; leave it empty for never.");
        if (options.DropConnectionsAfter is { } drop)
        {
            if (options.CompressAfter is null)
                errors.Add("EventMesh:Retention:DropConnectionsAfter needs a CompressAfter: only compressed months are removed.");
            else if (drop <= options.CompressAfter)
                errors.Add($"EventMesh:Retention:DropConnectionsAfter '{drop}' must be longer than CompressAfter '{options.CompressAfter}'.");
        }
        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }
}
