using System.Globalization;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Journal.Internal;
using Microsoft.Data.Sqlite;

namespace EventMesh.Journal;

/// <summary>
/// Where recorded events wait on disk while the store does not acknowledge them: a SQLite file that is synced with each append, so that
/// what it took survives the end of the process and of the machine.
/// </summary>
/// <remarks>
/// Calling contract: <see cref="Open"/> first, one call at a time; <see cref="Count"/> may be read at any time. Every method fails with
/// <see cref="MeshException"/> that names the file: <see cref="MeshError.DataDirectoryUnusable"/>.
/// </remarks>
public sealed class EventSpool : IDisposable
{
    /// <summary>The name of the file in the data directory.</summary>
    public const string FileName = "spool.db";

    private const int FormatVersion = 1;

    private readonly EventRegistry _registry;
    private SqliteConnection? _connection;
    private EventTable? _events;
    private long _count;

    /// <summary>Makes a spool; <see cref="Open"/> gives it its file.</summary>
    public EventSpool()
        : this(EventRegistry.Default)
    {
    }

    internal EventSpool(EventRegistry registry) => _registry = registry;

    /// <summary>The file; empty before <see cref="Open"/>.</summary>
    public string Path { get; private set; } = "";

    /// <summary>How many events it holds.</summary>
    public long Count => Volatile.Read(ref _count);

    /// <summary>The place of the last event that it took; 0 when it was empty at <see cref="Open"/> and took none since.</summary>
    public long LastNodeSeq { get; private set; }

    /// <summary>Opens the spool of a node, or makes it, readable for this user only.</summary>
    /// <exception cref="MeshException">
    /// <see cref="MeshError.DataDirectoryUnusable"/>: the file is damaged, of another node or of a newer program, or the directory can't be
    /// written; <see cref="MeshError.DataDirectoryLocked"/>: another process has it open.
    /// </exception>
    public void Open(NodeId node, string dataDirectory)
    {
        ArgumentException.ThrowIfNullOrEmpty(dataDirectory);
        if (_connection is not null)
            throw new InvalidOperationException("The spool is open.");
        Path = System.IO.Path.Combine(dataDirectory, FileName);
        try
        {
            Directory.CreateDirectory(dataDirectory);
            _connection = PrivateDatabase.Open(Path, synchronous: "FULL");
            Prepare(node);
        }
        catch (Exception exception) when (exception is SqliteException or IOException or UnauthorizedAccessException)
        {
            throw Translate(exception);
        }
        finally
        {
            if (_events is null)
                Dispose();
        }
    }

    /// <summary>Takes events in order of place, all or none; when it returns they are on disk.</summary>
    public void Append(IReadOnlyList<RecordedEvent> events)
    {
        ArgumentNullException.ThrowIfNull(events);
        EventTable table = Table();
        try
        {
            Volatile.Write(ref _count, _count + table.Insert(events));
            if (events.Count > 0)
                LastNodeSeq = events[^1].NodeSeq;
        }
        catch (SqliteException exception)
        {
            throw Translate(exception);
        }
    }

    /// <summary>Reads up to <paramref name="limit"/> events in order of place, after <paramref name="afterNodeSeq"/>.</summary>
    public IReadOnlyList<RecordedEvent> Read(long afterNodeSeq, int limit)
    {
        try
        {
            return Table().Read(afterNodeSeq, limit);
        }
        catch (SqliteException exception)
        {
            throw Translate(exception);
        }
        catch (Exception exception) when (exception is MeshException { Error: MeshError.StoreIncompatible } or InvalidCastException or ArgumentException)
        {
            throw new MeshException(MeshError.DataDirectoryUnusable, $"An event in the spool '{Path}' can't be read: {exception.Message}", exception);
        }
    }

    /// <summary>Deletes the events up to and with <paramref name="nodeSeq"/>: the store has them.</summary>
    public void DeleteThrough(long nodeSeq)
    {
        try
        {
            int deleted;
            using (SqliteCommand command = Command("DELETE FROM event WHERE node_seq <= $last"))
            {
                command.Parameters.AddWithValue("$last", nodeSeq);
                deleted = command.ExecuteNonQuery();
            }
            Volatile.Write(ref _count, _count - deleted);
            // SQLite keeps the pages of deleted rows; after a long outage they go back to the system.
            if (_count == 0 && Number("PRAGMA freelist_count") * Number("PRAGMA page_size") > 16 * 1024 * 1024)
                Execute("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)");
        }
        catch (SqliteException exception)
        {
            throw Translate(exception);
        }
    }

    /// <summary>
    /// Gives the events from <paramref name="nodeSeq"/> on other places, all or none: a process that ran without the store could not know of
    /// the last ones that its predecessor had committed.
    /// </summary>
    /// <param name="nodeSeq">The first event that moves.</param>
    /// <param name="distance">How far; positive.</param>
    internal void Move(long nodeSeq, long distance)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(distance);
        try
        {
            // By way of negative places: SQLite checks the uniqueness row by row.
            using SqliteCommand command = Command(
                "BEGIN IMMEDIATE; UPDATE event SET node_seq = -(node_seq + $distance) WHERE node_seq >= $from;" +
                "UPDATE event SET node_seq = -node_seq WHERE node_seq < 0; COMMIT");
            command.Parameters.AddWithValue("$distance", distance);
            command.Parameters.AddWithValue("$from", nodeSeq);
            command.ExecuteNonQuery();
            LastNodeSeq += distance;
        }
        catch (SqliteException exception)
        {
            throw Translate(exception);
        }
    }

    /// <summary>The bytes that the held events take on disk.</summary>
    public long MeasureBytes()
    {
        try
        {
            return (Number("PRAGMA page_count") - Number("PRAGMA freelist_count")) * Number("PRAGMA page_size");
        }
        catch (SqliteException exception)
        {
            throw Translate(exception);
        }
    }

    /// <summary>Closes the file. What it holds stays for the next start.</summary>
    public void Dispose()
    {
        _events?.Dispose();
        _events = null;
        _connection?.Dispose();
        _connection = null;
    }

    private void Prepare(NodeId node)
    {
        using (SqliteCommand check = Command("PRAGMA quick_check(1)"))
        {
            if (check.ExecuteScalar() as string is not "ok")
                throw Damaged(null);
        }
        long version = Number("PRAGMA user_version");
        if (version > FormatVersion)
        {
            throw new MeshException(
                MeshError.DataDirectoryUnusable, $"The spool '{Path}' was written by a newer program (format {version}, this one knows {FormatVersion}).");
        }
        if (version == 0)
        {
            Execute(
                "BEGIN IMMEDIATE;" +
                "CREATE TABLE owner(node TEXT NOT NULL);" +
                EventTable.Schema +
                $"INSERT INTO owner VALUES('{node}');" +
                string.Create(CultureInfo.InvariantCulture, $"PRAGMA user_version={FormatVersion};COMMIT"));
        }
        CheckOwner(node);
        _count = Number("SELECT count(*) FROM event");
        LastNodeSeq = Number("SELECT coalesce(max(node_seq), 0) FROM event");
        _events = new EventTable(Connection(), _registry);
    }

    private void CheckOwner(NodeId node)
    {
        using SqliteCommand command = Command("SELECT node FROM owner");
        var owner = command.ExecuteScalar() as string;
        if (owner != node.ToString())
        {
            throw new MeshException(
                MeshError.DataDirectoryUnusable, $"The spool '{Path}' belongs to the node {owner}, not to {node}: the data directory is another node's.");
        }
    }

    private EventTable Table() => _events ?? throw new InvalidOperationException("The spool is not open.");

    private SqliteConnection Connection() => _connection ?? throw new InvalidOperationException("The spool is not open.");

    private SqliteCommand Command(string sql)
    {
        SqliteCommand command = Connection().CreateCommand();
#pragma warning disable CA2100 // The text is ours: constants and a UUID.
        command.CommandText = sql;
#pragma warning restore CA2100
        return command;
    }

    private void Execute(string sql)
    {
        using SqliteCommand command = Command(sql);
        command.ExecuteNonQuery();
    }

    private long Number(string sql)
    {
        using SqliteCommand command = Command(sql);
        return Convert.ToInt64(command.ExecuteScalar(), CultureInfo.InvariantCulture);
    }

    private MeshException Translate(Exception exception)
    {
        const int busy = 5, locked = 6, corrupt = 11, notADatabase = 26;
        return exception switch
        {
            SqliteException { SqliteErrorCode: busy or locked } =>
                new MeshException(MeshError.DataDirectoryLocked, $"Another process uses the spool '{Path}'.", exception),
            SqliteException { SqliteErrorCode: corrupt or notADatabase } => Damaged(exception),
            _ => new MeshException(MeshError.DataDirectoryUnusable, $"The spool '{Path}' can't be used: {exception.Message}", exception),
        };
    }

    private MeshException Damaged(Exception? exception) => new(
        MeshError.DataDirectoryUnusable,
        $"The spool '{Path}' is damaged. It may hold events that the store does not have: restore it, or move it away to go on without them.",
        exception);
}
