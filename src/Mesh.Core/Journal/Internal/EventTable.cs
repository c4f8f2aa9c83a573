using EventMesh.Events;
using Microsoft.Data.Sqlite;

namespace EventMesh.Journal.Internal;

/// <summary>The table of events in the node's own SQLite files: the spool and the replica keep them in the same form.</summary>
internal sealed class EventTable : IDisposable
{
    /// <summary>Makes the table where there is none.</summary>
    public const string Schema =
        "CREATE TABLE IF NOT EXISTS event(node_seq INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, id BLOB NOT NULL, name TEXT NOT NULL," +
        " time INTEGER NOT NULL, trace_parent TEXT, data BLOB NOT NULL) STRICT;";

    private readonly SqliteConnection _connection;
    private readonly EventRegistry _registry;
    private readonly SqliteCommand _insert;

    public EventTable(SqliteConnection connection, EventRegistry registry)
    {
        _connection = connection;
        _registry = registry;
        _insert = connection.CreateCommand();
        // Replacing keeps a retry of an append whose failure came after its commit from failing for ever.
        _insert.CommandText = "INSERT OR REPLACE INTO event VALUES($node_seq, $epoch, $id, $name, $time, $trace_parent, $data)";
        foreach (string name in (string[])["$node_seq", "$epoch", "$id", "$name", "$time", "$trace_parent", "$data"])
            _insert.Parameters.Add(new SqliteParameter { ParameterName = name });
    }

    /// <summary>Adds events, all or none; returns how many rows there are more.</summary>
    public int Insert(IReadOnlyList<RecordedEvent> events)
    {
        var added = 0;
        using SqliteTransaction transaction = _connection.BeginTransaction();
        _insert.Transaction = transaction;
        foreach (RecordedEvent recorded in events)
            added += Insert(recorded);
        transaction.Commit();
        return added;
    }

    /// <summary>Reads up to <paramref name="limit"/> events in order of place, after <paramref name="afterNodeSeq"/>.</summary>
    public IReadOnlyList<RecordedEvent> Read(long afterNodeSeq, int limit)
    {
        using SqliteCommand command = _connection.CreateCommand();
        command.CommandText =
            "SELECT node_seq, epoch, id, name, time, trace_parent, data FROM event WHERE node_seq > $after ORDER BY node_seq LIMIT $limit";
        command.Parameters.AddWithValue("$after", afterNodeSeq);
        command.Parameters.AddWithValue("$limit", limit);
        using SqliteDataReader reader = command.ExecuteReader();
        var events = new List<RecordedEvent>();
        while (reader.Read())
            events.Add(Row(reader));
        return events;
    }

    public void Dispose() => _insert.Dispose();

    private int Insert(RecordedEvent recorded)
    {
        SqliteParameterCollection parameters = _insert.Parameters;
        parameters[0].Value = recorded.NodeSeq;
        parameters[1].Value = recorded.Epoch;
        parameters[2].Value = recorded.Id.ToByteArray(bigEndian: true);
        parameters[3].Value = _registry.Get(recorded.Data.GetType()).WireName;
        parameters[4].Value = EventTime.ToMicroseconds(recorded.Time);
        parameters[5].Value = (object?)recorded.TraceParent ?? DBNull.Value;
        parameters[6].Value = MeshJson.Serialize(recorded.Data);
        return _insert.ExecuteNonQuery();
    }

    private RecordedEvent Row(SqliteDataReader reader) =>
        new(
            new Guid(reader.GetFieldValue<byte[]>(2), bigEndian: true),
            reader.GetInt32(1),
            reader.GetInt64(0),
            EventTime.FromMicroseconds(reader.GetInt64(4)),
            MeshJson.Deserialize(_registry.Get(reader.GetString(3)), reader.GetFieldValue<byte[]>(6)),
            reader.IsDBNull(5) ? null : reader.GetString(5));
}
