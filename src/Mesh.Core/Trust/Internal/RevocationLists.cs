using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;

namespace EventMesh.Trust.Internal;

/// <summary>The local revocation lists, read again when a file has changed: looked at no more than every 10 s, by whoever judges then.</summary>
/// <remarks>All members may be called concurrently. A file that can't be read any more leaves what it said before in force.</remarks>
internal sealed class RevocationLists
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(10);

    private readonly Lock _mutex = new();
    private readonly string[] _files;
    private readonly X509Certificate2Collection? _roots;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly Dictionary<string, DateTime> _written = [];
    private readonly Dictionary<string, IReadOnlyList<RevocationList>> _lists = [];
    private IReadOnlyList<RevocationList> _current = [];
    private long _lastLook;

    public RevocationLists(IEnumerable<string> files, X509Certificate2Collection? roots, TimeProvider clock, ILogger logger)
    {
        _files = [.. files.Select(Path.GetFullPath)];
        _roots = roots;
        _clock = clock;
        _logger = logger;
        _lastLook = clock.GetTimestamp();
    }

    /// <summary>Reads all files for the first time.</summary>
    /// <exception cref="MeshException"><see cref="MeshError.InvalidConfiguration"/>: one can't be read.</exception>
    public void Load()
    {
        lock (_mutex)
        {
            foreach (string file in _files)
            {
                try
                {
                    Read(file);
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or FormatException)
                {
                    throw new MeshException(MeshError.InvalidConfiguration, $"The revocation list '{file}' (EventMesh:Trust:RevocationLists) can't be used: {e.Message}", e);
                }
            }
        }
    }

    /// <summary>The lists as they are in force now.</summary>
    public IReadOnlyList<RevocationList> Current()
    {
        if (_files.Length == 0) return [];
        lock (_mutex)
        {
            if (_clock.GetElapsedTime(_lastLook) >= LookAgain)
            {
                _lastLook = _clock.GetTimestamp();
                foreach (string file in _files) ReadAgain(file);
            }
            return _current;
        }
    }

    private void ReadAgain(string file)
    {
        try
        {
            if (_written.TryGetValue(file, out DateTime known) && File.GetLastWriteTimeUtc(file) == known) return;
            Read(file);
            Log.RevocationListRead(_logger, file, _lists[file].Sum(list => list.Count));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or FormatException)
        {
            // Said once for each change of the file.
            if (File.Exists(file)) _written[file] = File.GetLastWriteTimeUtc(file);
            else if (!_written.Remove(file)) return;
            Log.RevocationListUnusable(_logger, file, e.Message);
        }
    }

    private void Read(string file)
    {
        DateTime written = File.GetLastWriteTimeUtc(file);
        IReadOnlyList<RevocationList> lists = RevocationList.ParseFile(File.ReadAllBytes(file));
        foreach (RevocationList list in lists)
        {
            X509Certificate2[] issuers = [.. (_roots ?? []).Where(list.IsNamedAfter)];
            if (issuers.Length > 0 && !issuers.Any(list.IsSignedBy))
                throw new CryptographicException($"the list of '{list.Issuer}' is not signed by that authority");
            if (list.NextUpdate is { } due && due < _clock.GetUtcNow()) Log.RevocationListDue(_logger, file, due);
        }
        _lists[file] = lists;
        _written[file] = written;
        _current = [.. _lists.Values.SelectMany(all => all)];
    }
}
