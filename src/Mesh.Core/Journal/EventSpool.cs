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

    private SqliteConnection? _connection;
    private SqliteCommand? _insert;
    private long _count;
    private bool _isPreparedToInsert;

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
            CreatePrivate(dataDirectory);
            // Pooling would keep the file open after Dispose.
            var settings = new SqliteConnectionStringBuilder { DataSource = Path, Pooling = false, DefaultTimeout = 1 };
            _connection = new SqliteConnection(settings.ToString());
            _connection.Open();
            Prepare(node);
        }
        catch (Exception exception) when (exception is SqliteException or IOException or UnauthorizedAccessException)
        {
            throw Translate(exception);
        }
        finally
        {
            if (!_isPreparedToInsert)
                Dispose();
        }
    }

    /// <summary>Takes events in order of place, all or none; when it returns they are on disk.</summary>
    public void Append(IReadOnlyList<RecordedEvent> events)
    {
        ArgumentNullException.ThrowIfNull(events);
        SqliteConnection connection = Connection();
        try
        {
            long before = _count;
            using (SqliteTransaction transaction = connection.BeginTransaction())
            {
                SqliteCommand insert = _insert!;
                insert.Transaction = transaction;
                foreach (RecordedEvent recorded in events)
                    before += Insert(insert, recorded);
                transaction.Commit();
            }
            Volatile.Write(ref _count, before);
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
            using SqliteCommand command = Command(
                "SELECT node_seq, epoch, id, name, time, trace_parent, data FROM event WHERE node_seq > $after ORDER BY node_seq LIMIT $limit");
            command.Parameters.AddWithValue("$after", afterNodeSeq);
            command.Parameters.AddWithValue("$limit", limit);
            using SqliteDataReader reader = command.ExecuteReader();
            var events = new List<RecordedEvent>();
            while (reader.Read())
                events.Add(Row(reader));
            return events;
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
        _insert?.Dispose();
        _insert = null;
        _isPreparedToInsert = false;
        _connection?.Dispose();
        _connection = null;
    }

    private static RecordedEvent Row(SqliteDataReader reader) =>
        new(
            new Guid(reader.GetFieldValue<byte[]>(2), bigEndian: true),
            reader.GetInt32(1),
            reader.GetInt64(0),
            EventTime.FromMicroseconds(reader.GetInt64(4)),
            MeshJson.Deserialize(EventRegistry.Default.Get(reader.GetString(3)), reader.GetFieldValue<byte[]>(6)),
            reader.IsDBNull(5) ? null : reader.GetString(5));

    private static int Insert(SqliteCommand insert, RecordedEvent recorded)
    {
        SqliteParameterCollection parameters = insert.Parameters;
        parameters[0].Value = recorded.NodeSeq;
        parameters[1].Value = recorded.Epoch;
        parameters[2].Value = recorded.Id.ToByteArray(bigEndian: true);
        parameters[3].Value = EventRegistry.Default.Get(recorded.Data.GetType()).WireName;
        parameters[4].Value = EventTime.ToMicroseconds(recorded.Time);
        parameters[5].Value = (object?)recorded.TraceParent ?? DBNull.Value;
        parameters[6].Value = MeshJson.Serialize(recorded.Data);
        return insert.ExecuteNonQuery();
    }

    private void CreatePrivate(string dataDirectory)
    {
        Directory.CreateDirectory(dataDirectory);
        var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.ReadWrite };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using (File.Open(Path, options))
        {
        }
        // SQLite gives its journal files the mode of the file itself.
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(Path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    private void Prepare(NodeId node)
    {
        // Exclusive: no second process may write here, also when the directory's lock failed to tell (network file systems).
        Execute("PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL");
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
                "CREATE TABLE event(node_seq INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, id BLOB NOT NULL, name TEXT NOT NULL," +
                " time INTEGER NOT NULL, trace_parent TEXT, data BLOB NOT NULL) STRICT;" +
                $"INSERT INTO owner VALUES('{node}');" +
                string.Create(CultureInfo.InvariantCulture, $"PRAGMA user_version={FormatVersion};COMMIT"));
        }
        CheckOwner(node);
        _count = Number("SELECT count(*) FROM event");
        LastNodeSeq = Number("SELECT coalesce(max(node_seq), 0) FROM event");
        // Replacing keeps a retry of an append whose failure came after its commit from failing for ever.
        _insert = Command("INSERT OR REPLACE INTO event VALUES($node_seq, $epoch, $id, $name, $time, $trace_parent, $data)");
        foreach (string name in (string[])["$node_seq", "$epoch", "$id", "$name", "$time", "$trace_parent", "$data"])
            _insert.Parameters.Add(new SqliteParameter { ParameterName = name });
        _isPreparedToInsert = true;
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
