using Npgsql;

namespace EventMesh.Marten.Projections.Internal;

/// <summary>
/// Which logs have grown, as the channel tells it: many appends of one log are one entry. A notification names the log; one without a name stands for any.
/// Filled while its connection reads, so by one thread at a time.
/// </summary>
internal sealed class ProjectionWake
{
    private HashSet<string> _tenants = [];
    private bool _any = true;

    /// <summary>Whether there is something to look at.</summary>
    public bool IsSet => _any || _tenants.Count > 0;

    public void Take(object? sender, NpgsqlNotificationEventArgs e)
    {
        if (e.Payload.Length == 0)
            _any = true;
        else
            _tenants.Add(e.Payload);
    }

    /// <summary>A log that is not read to its end.</summary>
    public void Add(string tenant) => _tenants.Add(tenant);

    /// <summary>All logs.</summary>
    public void AddAll() => _any = true;

    /// <summary>What to look at, null for all logs; then nothing is set.</summary>
    public string[]? Reset()
    {
        string[]? tenants = _any ? null : [.. _tenants];
        _tenants = [];
        _any = false;
        return tenants;
    }
}
