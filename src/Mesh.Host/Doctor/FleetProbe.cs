using System.Globalization;
using EventMesh.Marten;
using Microsoft.Extensions.Options;
using Npgsql;

namespace EventMesh.Host.Doctor;

/// <summary>Tells which process of those on one database lets the projections follow. Says nothing of a private server, which serves one node.</summary>
internal sealed class FleetProbe(IOptions<MeshStoreOptions> store) : IDoctorProbe
{
    /// <summary>The name of its check.</summary>
    public const string Name = "projections";

    private const int ConnectSeconds = 5;

    public async Task<IReadOnlyList<DoctorCheck>> ExamineAsync(CancellationToken cancellationToken)
    {
        if (string.IsNullOrWhiteSpace(store.Value.ConnectionString)) return [];
        try
        {
            NpgsqlConnectionStringBuilder builder = new(store.Value.ConnectionString) { Timeout = ConnectSeconds, Pooling = false };
            await using NpgsqlConnection connection = new(builder.ConnectionString);
            await connection.OpenAsync(cancellationToken);
            await using NpgsqlCommand command = connection.CreateCommand();
#pragma warning disable CA2100 // The options' validator has checked the schema's name.
            command.CommandText = $"select term, node_id, host, process_id, since, is_leading from {store.Value.Schema}.projection_leader";
#pragma warning restore CA2100
            await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancellationToken);
            if (!await reader.ReadAsync(cancellationToken)) return [DoctorCheck.Note(Name, "no process has let them follow yet")];
            string who = string.Create(
                CultureInfo.InvariantCulture,
                $"process {reader.GetInt32(3)} on {reader.GetString(2)} (node {reader.GetGuid(1)}), term {reader.GetInt64(0)} since {reader.GetDateTime(4):u}");
            return reader.GetBoolean(5)
                ? [DoctorCheck.Ok(Name, $"{who}, lets them follow")]
                : [DoctorCheck.Note(Name, $"nobody lets them follow now; the last was {who}", "They go on when a node of this database runs.")];
        }
        catch (Exception e) when (e is NpgsqlException or ArgumentException or TimeoutException)
        {
            // Not reached, or not made yet: the examination of the store tells.
            return [];
        }
    }
}
