using Npgsql;

namespace EventMesh.Marten.Store.Internal;

/// <summary>
/// The connections of a store: to one server, or to the primary among several, which may change. Queries may go to a standby. Disposing closes all.
/// </summary>
internal sealed class StoreServers : IAsyncDisposable
{
    private const string Recheck = "Host Recheck Seconds";
    private readonly NpgsqlMultiHostDataSource? _several;

    private StoreServers(NpgsqlDataSource primary, NpgsqlDataSource queries, int folds, NpgsqlMultiHostDataSource? several)
    {
        Folds = folds;
        Primary = primary;
        Queries = queries;
        _several = several;
    }

    /// <summary>Where the log is written.</summary>
    public NpgsqlDataSource Primary { get; }

    /// <summary>Where queries go.</summary>
    public NpgsqlDataSource Queries { get; }

    /// <summary>How many projections the pool allows to be folded at a time.</summary>
    public int Folds { get; }

    public static bool IsSeveral(string? hosts) => hosts?.Contains(',', StringComparison.Ordinal) == true;

    public static StoreServers Create(NpgsqlDataSourceBuilder builder, bool readFromReplica)
    {
        NpgsqlConnectionStringBuilder text = builder.ConnectionStringBuilder;
        int folds = ConnectionBudget.Folds(text);
        if (!IsSeveral(text.Host))
        {
            NpgsqlDataSource single = builder.Build();
            return new StoreServers(single, single, folds, null);
        }
        // What may be said of it, the validator knows; here the sources say it.
        text.TargetSessionAttributes = null;
        // What a server was found to be is believed for so long: after a failover, the wait for the new primary.
        if (!text.ShouldSerialize(Recheck))
            text.HostRecheckSeconds = 1;
        NpgsqlMultiHostDataSource several = builder.BuildMultiHost();
        NpgsqlDataSource primary = several.WithTargetSession(TargetSessionAttributes.Primary);
        return new StoreServers(primary, readFromReplica ? several.WithTargetSession(TargetSessionAttributes.PreferStandby) : primary, folds, several);
    }

    public async ValueTask DisposeAsync()
    {
        if (_several is not null)
            await _several.DisposeAsync().ConfigureAwait(false);
        else
            await Primary.DisposeAsync().ConfigureAwait(false);
    }
}
