using EventMesh.Identity;

namespace EventMesh.Node;

/// <summary>The settings of a node, bound from the section <c>EventMesh</c> and checked at start. docs/configuration.md lists them.</summary>
public sealed class MeshOptions
{
    /// <summary>The configuration section.</summary>
    public const string SectionName = "EventMesh";

    /// <value>The mesh to join: 1 to 64 bytes of UTF-8. Nodes of other meshes are refused. Defaults to <c>default</c>.</value>
    public string MeshName { get; set; } = "default";

    /// <value>Whether others may dial this node. Defaults to <see cref="PeerKind.Node"/>.</value>
    public PeerKind Kind { get; set; } = PeerKind.Node;

    /// <value>The UDP address to bind, <c>address:port</c>; port 0 lets the system choose. Defaults to <c>0.0.0.0:0</c>.</value>
    public string Listen { get; set; } = "0.0.0.0:0";

    /// <value>
    /// Hard-coded contacts, <c>host:port</c> with an address or a DNS name, dialled after the bootstrap cache. Defaults to none: the node
    /// waits to be dialled.
    /// </value>
    public IList<string> Contacts { get; set; } = [];

    /// <value>The folder of the node's key, spool and control socket; made at first start, closed to other users. Defaults to <c>eventmesh-data</c>.</value>
    public string DataDirectory { get; set; } = "eventmesh-data";

    /// <value>The QUIC provider.</value>
    public TransportOptions Transport { get; set; } = new();

    /// <value>Bootstrap and peer exchange.</value>
    public BootstrapOptions Bootstrap { get; set; } = new();

    /// <value>Bounds of what peers can make this node hold.</value>
    public LimitOptions Limits { get; set; } = new();

    /// <value>The event journal.</value>
    public JournalOptions Journal { get; set; } = new();

    /// <value>Whom the node trusts.</value>
    public TrustOptions Trust { get; set; } = new();

    /// <value>The bootstrap cache.</value>
    public CacheOptions Cache { get; set; } = new();
}
