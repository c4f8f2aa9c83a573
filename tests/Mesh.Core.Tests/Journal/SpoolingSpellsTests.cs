using EventMesh.Events;
using EventMesh.Journal.Internal;
using Shouldly;
using Xunit;

namespace EventMesh.Core.Tests.Journal;

public sealed class SpoolingSpellsTests
{
    private static readonly DateTimeOffset Start = new(2026, 11, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly SpoolingSpells _spells = new(TimeSpan.FromSeconds(1));
    private double _second;

    private DateTimeOffset Now => Start.AddSeconds(_second);

    private TimeSpan Uptime => TimeSpan.FromSeconds(_second);

    [Fact]
    public void A_spell_is_reported_when_it_has_lasted_a_second_and_when_it_ends()
    {
        Spooled(10).ShouldBeNull();
        _second = 0.9;
        Spooled(5).ShouldBeNull();
        _second = 1;
        Spooled(1, isAway: true).ShouldBe(new JournalStateChanged(LogState.Spooling, SpoolingCause.Unavailable, Start, null, 16, 0));
        _second = 2;
        Spooled(4).ShouldBeNull();
        _spells.Current.ShouldBe(new SpoolingSpell(Start, SpoolingCause.Unavailable, 20));
        _second = 90;
        Ended().ShouldBe(new JournalStateChanged(LogState.Live, SpoolingCause.Unavailable, Start, Start.AddSeconds(90), 20, 0));
        _spells.Current.ShouldBeNull();
        Ended().ShouldBeNull();
    }

    [Fact]
    public void Short_spells_are_counted_by_the_next_event()
    {
        for (var i = 0; i < 7; i++)
        {
            Spooled(1).ShouldBeNull();
            _second += 0.2;
            Ended().ShouldBeNull();
        }
        Spooled(1).ShouldBeNull();
        _second += 1;
        Spooled(1)!.Unreported.ShouldBe(7);
        Ended()!.Unreported.ShouldBe(0);
    }

    [Fact]
    public void A_store_that_comes_and_goes_for_an_hour_makes_two_events_a_minute_at_most()
    {
        var reported = 0;
        var spells = 0;
        var unreported = 0;
        while (_second < 3600)
        {
            spells++;
            Count(Spooled(1));
            _second += 1.5;
            Count(Spooled(1));
            Count(Ended());
            _second += 0.5;
        }
        reported.ShouldBeInRange(100, 120);
        (unreported + (reported / 2)).ShouldBeInRange(spells - 30, spells);

        void Count(JournalStateChanged? changed)
        {
            if (changed is null)
                return;
            reported++;
            unreported += changed.Unreported;
        }
    }

    [Fact]
    public void A_long_spell_soon_after_another_is_reported_when_its_minute_has_come()
    {
        Spooled(1);
        _second = 1;
        Spooled(1).ShouldNotBeNull();
        Ended().ShouldNotBeNull();
        _second = 10;
        Spooled(1).ShouldBeNull();
        _second = 60;
        Spooled(1).ShouldBeNull();
        _second = 61;
        Spooled(1)!.Began.ShouldBe(Start.AddSeconds(10));
    }

    private JournalStateChanged? Spooled(int count, bool isAway = false) => _spells.Spooled(count, isAway, Now, Uptime);

    private JournalStateChanged? Ended() => _spells.Ended(Now, Uptime);
}
