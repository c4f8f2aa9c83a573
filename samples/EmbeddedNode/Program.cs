using System.Text;
using EventMesh.Notifications;
using MediatR;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

HostApplicationBuilder builder = Host.CreateApplicationBuilder(args);
builder.Services
    .AddEventMesh(builder.Configuration.GetSection("EventMesh"))
    .AddNgtcp2()
    .UseMarten()
    .AddHandlersFrom<Printer>();
await builder.Build().RunAsync();

internal sealed class Printer : INotificationHandler<MessageReceived>
{
    public Task Handle(MessageReceived notification, CancellationToken cancellationToken) =>
        Console.Out.WriteLineAsync($"{notification.From.ToShortString()}: {Encoding.UTF8.GetString(notification.Payload.Span)}");
}
