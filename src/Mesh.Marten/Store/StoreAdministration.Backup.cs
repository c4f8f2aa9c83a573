using System.IO.Compression;
using EventMesh.Journal;
using EventMesh.Marten.Store.Internal;

namespace EventMesh.Marten.Store;

public sealed partial class StoreAdministration
{
    /// <summary>Writes the logs of all nodes to a new file, as of one moment; nodes may go on writing.</summary>
    /// <param name="path">The file, which must not exist; readable for this user only. A failed backup leaves none.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The rows that were written.</returns>
    public Task<long> BackupAsync(string path, CancellationToken cancellationToken = default) => RunAsync("make a backup", async () =>
    {
        int version = await _schema.GetVersionAsync(cancellationToken).ConfigureAwait(false);
        if (version != StoreSchema.Current)
            throw new MeshException(
                MeshError.StoreIncompatible, $"The schema '{_tables.Schema}' has version {version}; this program makes backups of {StoreSchema.Current}. Run `mesh store migrate` first.");
        bool isWhole = false;
        FileStream file = Create(path);
        try
        {
            await using (file.ConfigureAwait(false))
            {
                BackupManifest manifest = await new StoreBackup(_source, _tables, _time).WriteAsync(file, version, cancellationToken).ConfigureAwait(false);
                file.Flush(flushToDisk: true);
                isWhole = true;
                return manifest.Tables.Sum(table => table.Rows);
            }
        }
        finally
        {
            if (!isWhole)
                File.Delete(path);
        }
    });

    /// <summary>
    /// Brings a backup into an empty store, whose schema is made where it is missing, in one transaction. Before it ends well, each node's log has been read from its beginning to
    /// its end: places without a gap, epochs in order, an end where it is noted.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="cancellationToken">Gives up; nothing is restored then.</param>
    /// <returns>The end of each node's log.</returns>
    public Task<IReadOnlyList<LogPosition>> RestoreAsync(string path, CancellationToken cancellationToken = default) => RunAsync("restore a backup", async () =>
    {
        try
        {
            ZipArchive archive = await ZipFile.OpenReadAsync(path, cancellationToken).ConfigureAwait(false);
            await using (archive.ConfigureAwait(false))
            {
                BackupManifest manifest = await StoreRestore.ReadManifestAsync(archive, cancellationToken).ConfigureAwait(false);
                await _schema.MigrateAsync(EventRegistry.Default, cancellationToken).ConfigureAwait(false);
                return await new StoreRestore(_source, _tables, new LogReader(_tables, EventRegistry.Default)).RunAsync(archive, manifest, cancellationToken)
                    .ConfigureAwait(false);
            }
        }
        catch (InvalidDataException exception)
        {
            throw StoreRestore.Unreadable(exception.Message, exception);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException or UnauthorizedAccessException)
        {
            throw new MeshException(MeshError.InvalidConfiguration, $"The backup {path} can't be read: {exception.Message}", exception);
        }
    });

    private static FileStream Create(string path)
    {
        try
        {
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            // It holds the whole history, addresses included.
            if (!OperatingSystem.IsWindows())
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            return new FileStream(path, options);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new MeshException(MeshError.InvalidConfiguration, $"The backup {path} can't be written: {exception.Message}", exception);
        }
    }
}
