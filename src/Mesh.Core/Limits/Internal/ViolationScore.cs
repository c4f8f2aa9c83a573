namespace EventMesh.Limits.Internal;

/// <summary>How far somebody has come towards a block: points that fade, half of them in each half-life. Pure.</summary>
/// <param name="Points">The points at that time.</param>
/// <param name="At">When they were that many.</param>
internal readonly record struct ViolationScore(double Points, DateTimeOffset At)
{
    /// <summary>What an offence costs, of the 100 that are a block by custom.</summary>
    public static int PointsOf(Offence offence) => offence switch
    {
        // A bug of ours or theirs may do it now and then; five in a row are none.
        Offence.ProtocolViolation => 20,
        Offence.TooLarge => 10,
        Offence.ControlFlood => 25,
        Offence.ConnectionFlood => 5,
        // A lossy path does it too.
        Offence.HandshakeStalled => 5,
        // The plugin may be to blame: it is muted for the peer long before this adds up.
        Offence.HandlerFailure => 2,
        _ => throw new ArgumentOutOfRangeException(nameof(offence), offence, "Not an offence."),
    };

    /// <summary>The score at a later time.</summary>
    public ViolationScore Fade(DateTimeOffset now, TimeSpan halfLife) =>
        now <= At ? this : new(Points * Math.Pow(0.5, (now - At) / halfLife), now);

    /// <summary>The score after an offence.</summary>
    public ViolationScore Add(Offence offence, DateTimeOffset now, TimeSpan halfLife) =>
        new(Fade(now, halfLife).Points + PointsOf(offence), now > At ? now : At);
}
