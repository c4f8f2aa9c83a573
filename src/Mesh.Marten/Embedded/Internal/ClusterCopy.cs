using System.Diagnostics;
using System.Text;
using EventMesh.Marten.Store.Internal;
using Npgsql;

namespace EventMesh.Marten.Embedded.Internal;

/// <summary>
/// Brings everything from one running server into another that was just made. What pg_dump of the newer version writes goes straight to its psql, so that no
/// second copy of the log lies on the disk meanwhile.
/// </summary>
internal sealed class ClusterCopy(PrivatePostgres from, PrivatePostgres to, PostgresBinaries tools)
{
    private readonly ClusterFiles _from = new(from.Location, tools);
    private readonly ClusterFiles _to = new(to.Location, tools);

    /// <summary>Roles, databases, and what is in them; not the settings in files.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await CopyGlobalsAsync(cancellationToken).ConfigureAwait(false);
        foreach (string database in await FindDatabasesAsync(cancellationToken).ConfigureAwait(false))
            await CopyDatabaseAsync(database, cancellationToken).ConfigureAwait(false);
        // A dump has no statistics, and without them the first queries would have bad plans.
        NpgsqlConnection connection = await OpenAsync(to, cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
            await Sql.ExecuteLongAsync(connection, "analyze", cancellationToken).ConfigureAwait(false);
    }

    /// <summary>What belongs to no database: roles, their memberships and settings.</summary>
    private async Task CopyGlobalsAsync(CancellationToken cancellationToken)
    {
        string text;
        using (ClientTool dump = StartDump(tools.DumpAll, ClusterFiles.Database, "--globals-only"))
        {
            using var reader = new StreamReader(dump.Output, Encoding.UTF8);
            text = await reader.ReadToEndAsync(cancellationToken).ConfigureAwait(false);
            await dump.EndAsync(cancellationToken).ConfigureAwait(false);
        }
        // That role is there from initdb.
        text = text.Replace($"\nCREATE ROLE {ClusterFiles.Role};\n", "\n", StringComparison.Ordinal);
        using ClientTool load = StartLoad();
        try
        {
            await load.Input.WriteAsync(Encoding.UTF8.GetBytes(text), cancellationToken).ConfigureAwait(false);
            await load.Input.DisposeAsync().ConfigureAwait(false);
        }
        catch (IOException)
        {
            // It has ended before its input, and says why.
        }
        await load.EndAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task CopyDatabaseAsync(string name, CancellationToken cancellationToken)
    {
        // That one is there from initdb; of another the dump begins with its making, and psql goes on in it.
        using ClientTool dump = name == ClusterFiles.Database ? StartDump(tools.Dump, name) : StartDump(tools.Dump, name, "--create");
        using ClientTool load = StartLoad();
        try
        {
            await dump.Output.CopyToAsync(load.Input, cancellationToken).ConfigureAwait(false);
            await load.Input.DisposeAsync().ConfigureAwait(false);
        }
        catch (IOException)
        {
            // psql has ended before its input, and says why; pg_dump would wait for ever for somebody who reads.
            dump.Kill();
        }
        // The end of the pipe first: what it could not take is the cause.
        await load.EndAsync(cancellationToken).ConfigureAwait(false);
        await dump.EndAsync(cancellationToken).ConfigureAwait(false);
    }

    private ClientTool StartDump(string program, string database, params string[] arguments)
    {
        ProcessStartInfo info = _from.ClientCommand(program, ["--no-password", .. arguments]);
        info.Environment["PGDATABASE"] = database;
        info.RedirectStandardOutput = true;
        return ClientTool.Start(info);
    }

    private ClientTool StartLoad()
    {
        ProcessStartInfo info = _to.ClientCommand(tools.Psql, ["-X", "-q", "-w", "-o", "/dev/null", "-v", "ON_ERROR_STOP=1", "-f", "-"]);
        // Nobody relies on it before the server's ordered end, which writes all through.
        info.Environment["PGOPTIONS"] = "-c synchronous_commit=off";
        info.RedirectStandardInput = true;
        return ClientTool.Start(info);
    }

    private async Task<List<string>> FindDatabasesAsync(CancellationToken cancellationToken)
    {
        NpgsqlConnection connection = await OpenAsync(from, cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
            return await Sql.QueryAsync(
                Sql.Command(connection, "select datname::text from pg_database where datallowconn and datname <> 'template1' order by datname"),
                row => row.GetString(0), cancellationToken).ConfigureAwait(false);
    }

    private static async Task<NpgsqlConnection> OpenAsync(PrivatePostgres server, CancellationToken cancellationToken)
    {
        var connection = new NpgsqlConnection(server.ConnectionString + ";Pooling=false");
        try
        {
            await connection.OpenAsync(cancellationToken).ConfigureAwait(false);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }
}
