namespace EventMesh.Events;

/// <summary>The streams of a node's log. Few streams and a peer id in each event keep appends fast.</summary>
public enum StreamFamily
{
    /// <summary>The node's own life; one stream <c>node</c>.</summary>
    Node,

    /// <summary>Connections and peers; a stream a month, <c>peers/yyyy-mm</c>.</summary>
    Peers,

    /// <summary>Trust decisions; one stream <c>trust</c>.</summary>
    Trust,

    /// <summary>The bootstrap cache; a stream a month, <c>cache/yyyy-mm</c>.</summary>
    Cache,

    /// <summary>Plugins and their own events; one stream <c>plugins</c>.</summary>
    Plugins,

    /// <summary>Topics; one stream <c>topics</c>.</summary>
    Topics,
}
