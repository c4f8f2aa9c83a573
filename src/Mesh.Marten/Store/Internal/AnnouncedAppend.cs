using System.Data;
using Npgsql;

namespace EventMesh.Marten.Store.Internal;

/// <summary>
/// The append of a batch that was announced while the one before it is under way: a transaction of its own that waits in the database for the other's commit, with all
/// that costs time done, and is committed when its turn has come. What does not follow is rolled back at once, since it would keep the other from going on.
/// </summary>
internal sealed class AnnouncedAppend : IAsyncDisposable
{
    private readonly NpgsqlDataSource _source;
    private readonly Func<NpgsqlConnection, NpgsqlCommand> _command;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task<Appended?> _appended;

    /// <summary>Begins the append.</summary>
    /// <param name="rows">The rows, linked to the last of the batch before.</param>
    /// <param name="head">Where the log ends then.</param>
    /// <param name="source">Where it gets a connection.</param>
    /// <param name="command">The statement, whose first value is 1 when it follows the batch before, else 0.</param>
    public AnnouncedAppend(LogRows rows, AppendHead head, NpgsqlDataSource source, Func<NpgsqlConnection, NpgsqlCommand> command)
    {
        Rows = rows;
        Head = head;
        _source = source;
        _command = command;
        // Not on the thread of the journal, which has other things to do meanwhile.
        _appended = Task.Run(AppendAsync, CancellationToken.None);
    }

    public LogRows Rows { get; }

    public AppendHead Head { get; }

    /// <summary>Commits the append; false when nothing was written because the batch before it was not there.</summary>
    public async Task<bool> CommitAsync(CancellationToken cancellationToken)
    {
        CancellationTokenRegistration registration = cancellationToken.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), _stopping);
        await using (registration.ConfigureAwait(false))
        {
            if (await _appended.ConfigureAwait(false) is not { } appended)
                return false;
            await appended.Transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
            return true;
        }
    }

    /// <summary>Gives up what is not committed, and returns when it keeps nobody waiting any more.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await ((Task)_appended).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_appended is { IsCompletedSuccessfully: true, Result: { } appended })
            await CloseAsync(appended.Connection, appended.Transaction).ConfigureAwait(false);
        _stopping.Dispose();
    }

    private static async Task CloseAsync(NpgsqlConnection connection, NpgsqlTransaction? transaction)
    {
        // Rolls back what is not committed.
        if (transaction is not null)
            await transaction.DisposeAsync().ConfigureAwait(false);
        await connection.DisposeAsync().ConfigureAwait(false);
    }

    private async Task<Appended?> AppendAsync()
    {
        NpgsqlConnection connection = await _source.OpenConnectionAsync(_stopping.Token).ConfigureAwait(false);
        NpgsqlTransaction? transaction = null;
        var follows = false;
        try
        {
            // The row of the log is looked at again when the one before has committed, which other levels refuse.
            transaction = await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, _stopping.Token).ConfigureAwait(false);
            NpgsqlCommand command = _command(connection);
            await using (command.ConfigureAwait(false))
            {
                await command.PrepareAsync(_stopping.Token).ConfigureAwait(false);
                follows = (long)(await command.ExecuteScalarAsync(_stopping.Token).ConfigureAwait(false))! == 1;
            }
            return follows ? new Appended(connection, transaction) : null;
        }
        finally
        {
            if (!follows)
                await CloseAsync(connection, transaction).ConfigureAwait(false);
        }
    }

    private sealed record Appended(NpgsqlConnection Connection, NpgsqlTransaction Transaction);
}
