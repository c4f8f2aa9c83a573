using System.Text.Json;
using EventMesh.Events;
using EventMesh.Plugins.Loading.Internal;
using EventMesh.Tests.Common;
using Shouldly;
using Xunit;

namespace EventMesh.Plugins.Tests;

public sealed class PluginLogTests
{
    private readonly FakeJournal _journal = new() { IsDurableAtOnce = false };

    private PluginLog Log => new("mine", _journal);

    [Fact]
    public async Task An_append_ends_when_the_event_is_durable()
    {
        Task<RecordedEvent> append = Log.AppendAsync("done", JsonSerializer.SerializeToElement(1), TestContext.Current.CancellationToken);

        _journal.All<PluginEvent>().ShouldHaveSingleItem();
        append.IsCompleted.ShouldBeFalse();
        _journal.MakeDurable();

        (await append).Data.ShouldBeOfType<PluginEvent>().Plugin.ShouldBe("mine");
    }

    [Fact]
    public async Task Cancelling_ends_the_wait_and_keeps_the_event()
    {
        using var cancel = new CancellationTokenSource();
        Task<RecordedEvent> append = Log.AppendAsync("done", JsonSerializer.SerializeToElement(1), cancel.Token);
        await cancel.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(() => append);
        _journal.All<PluginEvent>().ShouldHaveSingleItem();
    }

    [Fact]
    public void The_content_outlives_the_document_it_came_from()
    {
        using (var document = JsonDocument.Parse("""{"a":1}"""))
            _ = Log.AppendAsync("done", document.RootElement, TestContext.Current.CancellationToken);

        _journal.All<PluginEvent>()[0].Data.GetProperty("a").GetInt32().ShouldBe(1);
    }

    [Fact]
    public void The_content_is_at_most_64_kibibytes_of_json()
    {
        _ = Log.AppendAsync("fits", JsonSerializer.SerializeToElement(new string('x', 65_534)), TestContext.Current.CancellationToken); // And two quotes.

        Should.Throw<ArgumentException>(() => { _ = Log.AppendAsync("big", JsonSerializer.SerializeToElement(new string('x', 65_535))); })
            .Message.ShouldContain("65536 bytes");
        _journal.All<PluginEvent>().ShouldHaveSingleItem().Name.ShouldBe("fits");
    }

    [Fact]
    public void An_event_has_a_name_and_a_content()
    {
        Should.Throw<ArgumentException>(() => { _ = Log.AppendAsync(" ", JsonSerializer.SerializeToElement(1)); });
        Should.Throw<ArgumentException>(() => { _ = Log.AppendAsync(new string('n', 129), JsonSerializer.SerializeToElement(1)); });
        Should.Throw<ArgumentException>(() => { _ = Log.AppendAsync("name", default); });
        _journal.Events.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("1e400000")]
    [InlineData("9007199254740993")]
    [InlineData("0.1000000000000000055511151231257827")]
    [InlineData("{\"a\":[1,-1e999]}")]
    [InlineData("\"\\ud800\"")]
    [InlineData("{\"\\udc00\":1}")]
    public void Json_that_the_store_can_not_hold_is_refused_here(string json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        JsonElement data = document.RootElement;

        Should.Throw<ArgumentException>(() => { _ = Log.AppendAsync("name", data); });
        _journal.Events.ShouldBeEmpty();
    }

    [Fact]
    public void A_number_that_a_double_can_not_hold_is_refused_by_its_name()
    {
        using JsonDocument document = JsonDocument.Parse("""{"count":12345678901234567890}""");
        JsonElement data = document.RootElement;

        Should.Throw<ArgumentException>(() => { _ = Log.AppendAsync("name", data); }).Message.ShouldContain("12345678901234567890");
    }
}
