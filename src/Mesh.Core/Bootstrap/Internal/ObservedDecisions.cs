using System.Net;
using EventMesh.Events;
using EventMesh.Projections;
using EventMesh.Trust;
using EventMesh.Wire;

namespace EventMesh.Bootstrap.Internal;

/// <summary>When peers' words for our address are believed: one liar could have our peers dial a victim's address in our name.</summary>
internal static class ObservedDecisions
{
    /// <summary>How many peers in different networks have to agree.</summary>
    public const int Agreeing = 3;

    /// <summary>The endpoint that 3 peers in different networks see us at; of several the one with the most.</summary>
    public static ObservedClaim? Agreed(IReadOnlyCollection<ObservedClaim> claims) => claims
        .GroupBy(claim => claim.Endpoint)
        .Select(group => (Claim: group.MinBy(claim => claim.Peer)!, Networks: group.Select(claim => AddressPrefix.NetworkOf(claim.From)).Distinct().Count()))
        .Where(group => group.Networks >= Agreeing)
        .OrderByDescending(group => group.Networks).ThenBy(group => group.Claim.Peer)
        .Select(group => group.Claim).FirstOrDefault();

    /// <summary>The claim that is worth a dial-back: the one with the most claimants; null when none is left to prove.</summary>
    public static IPEndPoint? Unproven(IReadOnlyCollection<ObservedClaim> claims, IPEndPoint? known) => claims
        .GroupBy(claim => claim.Endpoint).Where(group => !group.Key.Equals(known))
        .OrderByDescending(group => group.Count()).Select(group => group.Key).FirstOrDefault();

    /// <summary>Takes an endpoint as ours; nothing when it is known already.</summary>
    public static IReadOnlyList<IMeshEvent> Observed(MeshState state, ObservedClaim claim) =>
        claim.Endpoint.Equals(state.Node.ObservedEndPoint) ? [] : [new EndpointObserved(claim.Endpoint, claim.Peer)];

    /// <summary>
    /// Whether a peer may be dialled back where it asks: only at the address from which we see it, and at a port that it uses or has announced. So nobody
    /// makes us send to, or look for open ports at, a stranger's address.
    /// </summary>
    public static bool MayDialBack(IPEndPoint asked, IPEndPoint seen, IEnumerable<uint> announcedPorts) =>
        asked.Address.Equals(seen.Address) && (asked.Port == seen.Port || announcedPorts.Contains((uint)asked.Port));
}
