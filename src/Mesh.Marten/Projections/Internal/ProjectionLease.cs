using System.Globalization;
using EventMesh.Identity;
using EventMesh.Marten.Store.Internal;
using Npgsql;

namespace EventMesh.Marten.Projections.Internal;

/// <summary>
/// Which of the processes on one database lets the projections follow. Two advisory locks: the first is held by the session of the one that leads; the
/// second, the fence, is shared by the transactions in which it writes, each of which also looks whether its term is still the last. A successor ends the
/// transactions that it finds inside, takes the fence alone for a moment and begins the next term: then no write of its predecessor is under way, and
/// none can begin.
/// </summary>
/// <remarks>
/// A process that hangs keeps its connections, so the server is told to end a session of the leader that has not spoken for a while: a stopped process
/// still acknowledges packets, which no keepalive of TCP notices. That session must not listen: a backend that waits for room to tell a stopped client of
/// a notification does not look at its time limit. So another session listens, with a lock of its own by which the successor finds and ends it.
/// </remarks>
internal sealed class ProjectionLease(LogTables tables, NodeId node)
{
    /// <summary>How often the leader speaks on the session that holds the lock, and others ask for it.</summary>
    public static readonly TimeSpan Beat = TimeSpan.FromSeconds(1);

    // The lock is free this long after its holder has gone silent: four beats may be late on a busy machine.
    private const string SessionLimit = "5s";

    // Only where a successor may not end another's transaction, for want of the right.
    private const string TransactionLimit = "10s";

    // Unacknowledged data and silence of the network, milliseconds and seconds.
    private const string NetworkLimit = "set tcp_user_timeout = 8000; set tcp_keepalives_idle = 4; set tcp_keepalives_interval = 1; set tcp_keepalives_count = 4";

    private readonly string _lock = LockName(tables.Schema);
    private readonly string _fence = $"{tables.Schema}.projections.write";

    private readonly string _listener = $"{tables.Schema}.projections.listen";

    private readonly string _beginSql =
        $"""
        insert into {Table(tables.Schema)} as l (term, node_id, host, process_id, backend, since)
        values (1, $1, $2, $3, pg_backend_pid(), clock_timestamp())
        on conflict (single) do update set term = l.term + 1, node_id = excluded.node_id, host = excluded.host, process_id = excluded.process_id,
            backend = excluded.backend, since = excluded.since
        returning term
        """;

    // Not waiting for the disk: what a crash of the server loses of these transactions is folded again, since the position is lost with it. The log itself does wait.
    private readonly string _enterSql =
        $"""
        select pg_advisory_xact_lock_shared(hashtextextended($1, 0)), set_config('idle_in_transaction_session_timeout', '{TransactionLimit}', true),
            set_config('tcp_user_timeout', '8000', true), set_config('synchronous_commit', 'off', true)
        """;

    // In a statement of its own: its snapshot is younger than the lock.
    private readonly string _checkSql = $"select exists (select from {Table(tables.Schema)} where term = $1)";

    /// <summary>SQL: the table and its view.</summary>
    public static string Create(string schema) =>
        $"""
        create table if not exists {Table(schema)} (
            single bool primary key default true check (single),
            term bigint not null,
            node_id uuid not null,
            host text not null,
            process_id int not null,
            backend int not null,
            since timestamptz not null);
        comment on table {Table(schema)} is 'The last process that began to let the projections follow; each begins a term.';
        create or replace view {schema}.projection_leader as
            select term, node_id, host, process_id, backend, since,
                exists (select from pg_locks where locktype = 'advisory' and granted and mode = 'ExclusiveLock' and objsubid = 1 and pid = backend
                    and database = (select oid from pg_database where datname = current_database())
                    and (classid::bigint << 32) | objid::bigint = hashtextextended('{LockName(schema)}', 0)) as is_leading
            from {Table(schema)};

        """;

    /// <summary>Prepares a session for the lock: how long it may be silent.</summary>
    public static Task<int> PrepareAsync(NpgsqlConnection connection, CancellationToken cancellationToken) =>
        Sql.ExecuteAsync(connection, $"set idle_session_timeout = '{SessionLimit}'; {NetworkLimit}", cancellationToken);

    /// <summary>Takes the lock for the session, if nobody has it.</summary>
    public Task<bool> TryTakeAsync(NpgsqlConnection connection, CancellationToken cancellationToken) =>
        Sql.ScalarAsync<bool>(connection, "select pg_try_advisory_lock(hashtextextended($1, 0))", cancellationToken, _lock);

    /// <summary>Says that the holder is there.</summary>
    public static Task<int> BeatAsync(NpgsqlConnection connection, CancellationToken cancellationToken) =>
        Sql.ExecuteAsync(connection, "select 1", cancellationToken);

    /// <summary>Begins a term, once nothing of the one before is being written any more.</summary>
    public async Task<long> BeginAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        while (true)
        {
            await EndPredecessorAsync(connection, cancellationToken).ConfigureAwait(false);
            try
            {
                NpgsqlTransaction transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
                await using (transaction.ConfigureAwait(false))
                {
                    await Sql.ExecuteAsync(connection, "set local lock_timeout = '1s'", cancellationToken).ConfigureAwait(false);
                    await Sql.ExecuteAsync(connection, "select pg_advisory_xact_lock(hashtextextended($1, 0))", cancellationToken, _fence).ConfigureAwait(false);
                    long term = await Sql.ScalarAsync<long>(
                        connection, _beginSql, cancellationToken, node.Value, Environment.MachineName, Environment.ProcessId).ConfigureAwait(false);
                    await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
                    return term;
                }
            }
            catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.LockNotAvailable)
            {
                // Something is still inside; its session ends by itself, at the latest after its limit.
            }
        }
    }

    /// <summary>Lets a session of the leader hear of appends. Before its first look: of what comes after it, it is told.</summary>
    public async Task ListenAsync(NpgsqlConnection connection, string channel, CancellationToken cancellationToken)
    {
        await Sql.ExecuteAsync(connection, NetworkLimit, cancellationToken).ConfigureAwait(false);
        await Sql.ExecuteAsync(connection, "select pg_advisory_lock_shared(hashtextextended($1, 0))", cancellationToken, _listener).ConfigureAwait(false);
        await Sql.ExecuteAsync(connection, $"listen {channel}", cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Enters the fence with the caller's transaction; fails when the term is over.</summary>
    /// <exception cref="LeaseLostException">Another process leads.</exception>
    public async Task EnterAsync(NpgsqlConnection connection, long term, CancellationToken cancellationToken)
    {
        await Sql.ExecutePreparedAsync(connection, _enterSql, cancellationToken, _fence).ConfigureAwait(false);
        if (!await Sql.ScalarPreparedAsync<bool>(connection, _checkSql, cancellationToken, term).ConfigureAwait(false))
            throw new LeaseLostException(string.Create(CultureInfo.InvariantCulture, $"Term {term} of the projections is over: another process leads."));
    }

    /// <summary>Gives the lock back, and the session as it was: it goes to a pool. Where that fails, the session is over and the lock with it.</summary>
    public static async Task ReleaseAsync(NpgsqlConnection connection)
    {
        if (connection.State != System.Data.ConnectionState.Open)
            return;
        try
        {
            using var limit = new CancellationTokenSource(Beat);
            await Sql.ExecuteAsync(
                connection,
                """
                unlisten *; select pg_advisory_unlock_all(); reset idle_session_timeout; reset tcp_user_timeout; reset tcp_keepalives_idle;
                reset tcp_keepalives_interval; reset tcp_keepalives_count
                """,
                limit.Token).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is NpgsqlException or OperationCanceledException or InvalidOperationException or IOException)
        {
            NpgsqlConnection.ClearPool(connection);
        }
    }

    // A transaction inside the fence, or a session that listens, while we hold the first lock is of a process that has lost it.
    private async Task EndPredecessorAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        try
        {
            await Sql.ExecuteAsync(
                connection,
                """
                select pg_terminate_backend(pid) from pg_locks
                where locktype = 'advisory' and granted and mode = 'ShareLock' and objsubid = 1 and pid <> pg_backend_pid()
                    and database = (select oid from pg_database where datname = current_database())
                    and (classid::bigint << 32) | objid::bigint in (hashtextextended($1, 0), hashtextextended($2, 0))
                """,
                cancellationToken, _fence, _listener).ConfigureAwait(false);
        }
        catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            // It runs as another role; it is waited for.
        }
    }

    private static string LockName(string schema) => $"{schema}.projections";

    private static string Table(string schema) => $"{schema}.projection_leadership";
}
