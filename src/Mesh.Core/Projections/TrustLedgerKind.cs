namespace EventMesh.Projections;

/// <summary>What a decision in the trust ledger does.</summary>
public enum TrustLedgerKind
{
    /// <summary>Binds a contact to a peer.</summary>
    Pin,

    /// <summary>Trusts a peer.</summary>
    Trust,

    /// <summary>Blocks a peer.</summary>
    Block,

    /// <summary>Blocks a range of addresses.</summary>
    PrefixBlock,

    /// <summary>Refuses a key or a single certificate for good.</summary>
    Revocation,

    /// <summary>Says which key follows a key: proven by both, or decided by an operator.</summary>
    Succession,

    /// <summary>Refuses all claimants of a key until an operator decides.</summary>
    Dispute,

    /// <summary>Takes a pin back: an act, in force at no time.</summary>
    Unpin,

    /// <summary>Lifts a block before its end: an act, in force at no time.</summary>
    Unblock,
}
