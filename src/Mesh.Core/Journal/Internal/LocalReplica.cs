using System.IO.Compression;
using System.Reflection;
using System.Text.Json;
using EventMesh.Events;
using EventMesh.Identity;
using EventMesh.Projections;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;

namespace EventMesh.Journal.Internal;

/// <summary>
/// The node's own copy of what its log says: a snapshot of the state and the committed events since. A start folds only what is newer, and
/// a start without the store has something to start from. It is never the truth: it can be missing, old or another log's, so whoever loads it asks the
/// store whether it has the event at its end. It survives the end of the process; that of the machine may cost it its last seconds.
/// </summary>
/// <remarks>One call at a time. No call fails: a replica that can't be read or written is given up until the next start, with a line in the log.</remarks>
internal sealed class LocalReplica(ILogger logger, EventRegistry? registry = null) : IDisposable
{
    /// <summary>The name of the file in the data directory.</summary>
    public const string FileName = "replica.db";

    // Then reading the events back takes about as long as reading a snapshot.
    private const int EventsPerSnapshot = 8192;

    // A fold of another build may give another state from the same events: its snapshots are not read.
    private static readonly string Program = Assembly.GetExecutingAssembly().ManifestModule.ModuleVersionId.ToString("N");

    private string _path = "";
    private SqliteConnection? _connection;
    private EventTable? _events;
    private int _eventsSince;

    /// <summary>Whether it would be well to take a snapshot.</summary>
    public bool WantsSnapshot => _connection is not null && _eventsSince >= EventsPerSnapshot;

    /// <summary>Opens the replica of a node, or makes an empty one.</summary>
    public void Open(NodeId node, string dataDirectory)
    {
        _path = Path.Combine(dataDirectory, FileName);
        try
        {
            OpenFile(node);
        }
        catch (Exception first) when (IsExpected(first))
        {
            // It is a copy: a new one begins with the next snapshot.
            GiveUp(first);
            try
            {
                OpenFile(node);
            }
            catch (Exception second) when (IsExpected(second))
            {
                GiveUp(second);
            }
        }
    }

    /// <summary>What it holds; null when it is empty or of another build.</summary>
    public (MeshState State, LogPoint End)? Load()
    {
        (MeshState State, LogPoint End)? content = null;
        Attempt(() =>
        {
            if (LoadSnapshot() is not { } loaded)
                return;
            _eventsSince = 0;
            while (_events!.Read(loaded.End.Position.NodeSeq, EventsPerSnapshot) is { Count: > 0 } events)
            {
                foreach (RecordedEvent recorded in events)
                {
                    // Loss of power can leave a hole; what is before it still holds.
                    if (recorded.NodeSeq != loaded.End.Position.NodeSeq + 1)
                    {
                        content = loaded;
                        return;
                    }
                    loaded = (MeshState.Apply(loaded.State, recorded), LogPoint.Of(recorded));
                    _eventsSince++;
                }
            }
            content = loaded;
        });
        return content;
    }

    /// <summary>Adds events that the store has acknowledged.</summary>
    public void Append(IReadOnlyList<RecordedEvent> events) => Attempt(() => _eventsSince += _events!.Insert(events));

    /// <summary>Replaces everything by the state as of <paramref name="end"/>, keeping the events after it.</summary>
    public void Save(MeshState state, LogPoint end) => Attempt(() =>
    {
        byte[] content = Compress(JsonSerializer.SerializeToUtf8Bytes(state, MeshJson.Options));
        using SqliteTransaction transaction = _connection!.BeginTransaction();
        using SqliteCommand command = Command(
            "DELETE FROM snapshot; DELETE FROM event WHERE node_seq <= $node_seq;" +
            "INSERT INTO snapshot VALUES($program, $node_seq, $epoch, $id, $time, $state); SELECT count(*) FROM event");
        command.Parameters.AddWithValue("$program", Program);
        command.Parameters.AddWithValue("$node_seq", end.Position.NodeSeq);
        command.Parameters.AddWithValue("$epoch", end.Position.Epoch);
        command.Parameters.AddWithValue("$id", end.Event.ToByteArray(bigEndian: true));
        command.Parameters.AddWithValue("$time", EventTime.ToMicroseconds(end.Position.Time));
        command.Parameters.AddWithValue("$state", content);
        _eventsSince = Convert.ToInt32(command.ExecuteScalar(), System.Globalization.CultureInfo.InvariantCulture);
        transaction.Commit();
    });

    public void Dispose()
    {
        _events?.Dispose();
        _events = null;
        _connection?.Dispose();
        _connection = null;
    }

    private (MeshState State, LogPoint End)? LoadSnapshot()
    {
        using SqliteCommand command = Command("SELECT node_seq, epoch, id, time, state FROM snapshot WHERE program = $program");
        command.Parameters.AddWithValue("$program", Program);
        using SqliteDataReader reader = command.ExecuteReader();
        if (!reader.Read())
            return null;
        var end = new LogPoint(
            new Guid(reader.GetFieldValue<byte[]>(2), bigEndian: true),
            new LogPosition(reader.GetInt32(1), reader.GetInt64(0), EventTime.FromMicroseconds(reader.GetInt64(3))));
        using var content = new BrotliStream(new MemoryStream(reader.GetFieldValue<byte[]>(4)), CompressionMode.Decompress);
        return (JsonSerializer.Deserialize<MeshState>(content, MeshJson.Options) ?? throw new JsonException("The snapshot is null."), end);
    }

    private void OpenFile(NodeId node)
    {
        _connection = PrivateDatabase.Open(_path, synchronous: "OFF");
        using (SqliteCommand make = Command(
            "CREATE TABLE IF NOT EXISTS owner(node TEXT NOT NULL);" +
            "CREATE TABLE IF NOT EXISTS snapshot(program TEXT NOT NULL, node_seq INTEGER NOT NULL, epoch INTEGER NOT NULL, id BLOB NOT NULL," +
            " time INTEGER NOT NULL, state BLOB NOT NULL) STRICT;" +
            EventTable.Schema +
            "INSERT INTO owner SELECT $node WHERE NOT EXISTS (SELECT 1 FROM owner); SELECT node FROM owner"))
        {
            make.Parameters.AddWithValue("$node", node.ToString());
            if (make.ExecuteScalar() as string != node.ToString())
                throw new InvalidDataException($"It belongs to another node than {node}.");
        }
        _events = new EventTable(_connection, registry ?? EventRegistry.Default);
    }

    private void Attempt(Action action)
    {
        if (_connection is null)
            return;
        try
        {
            action();
        }
        catch (Exception exception) when (IsExpected(exception))
        {
            GiveUp(exception);
        }
    }

    private void GiveUp(Exception reason)
    {
        Log.ReplicaDropped(logger, _path, reason);
        Dispose();
        foreach (string suffix in (string[])["", "-wal", "-shm"])
        {
            try
            {
                File.Delete(_path + suffix);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // Whoever opens it next finds out.
            }
        }
    }

    private static bool IsExpected(Exception exception) =>
        exception is SqliteException or IOException or UnauthorizedAccessException or JsonException or MeshException or NotSupportedException
            or InvalidDataException or InvalidOperationException or InvalidCastException or ArgumentException;

    private static byte[] Compress(byte[] content)
    {
        using var compressed = new MemoryStream();
        using (var brotli = new BrotliStream(compressed, CompressionLevel.Fastest))
            brotli.Write(content);
        return compressed.ToArray();
    }

    private SqliteCommand Command(string sql)
    {
        SqliteCommand command = _connection!.CreateCommand();
#pragma warning disable CA2100 // The text is ours: constants.
        command.CommandText = sql;
#pragma warning restore CA2100
        return command;
    }
}
