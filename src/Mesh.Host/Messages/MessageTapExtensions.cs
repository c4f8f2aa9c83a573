using EventMesh.Dispatch;
using Microsoft.Extensions.DependencyInjection;

namespace EventMesh.Host.Messages;

/// <summary>Registration of the message tap.</summary>
internal static class MessageTapExtensions
{
    private const string InnerKey = "behind the tap";

    /// <summary>Puts the tap in front of the registered <see cref="IMessageDispatcher"/>.</summary>
    /// <exception cref="InvalidOperationException">No dispatcher is registered.</exception>
    public static IServiceCollection AddMessageTap(this IServiceCollection services)
    {
        ServiceDescriptor inner = services.LastOrDefault(d => d.ServiceType == typeof(IMessageDispatcher) && !d.IsKeyedService)
            ?? throw new InvalidOperationException("AddMessageTap comes after the dispatcher's registration.");
        services.Remove(inner);
        // Kept under a key, so that the container still makes and disposes it.
        services.Add(inner switch
        {
            { ImplementationInstance: { } instance } => new ServiceDescriptor(typeof(IMessageDispatcher), InnerKey, instance),
            { ImplementationFactory: { } factory } =>
                new ServiceDescriptor(typeof(IMessageDispatcher), InnerKey, (provider, _) => factory(provider), inner.Lifetime),
            _ => new ServiceDescriptor(typeof(IMessageDispatcher), InnerKey, inner.ImplementationType!, inner.Lifetime),
        });
        services.AddSingleton(provider => new MessageTap(
            provider.GetRequiredKeyedService<IMessageDispatcher>(InnerKey), provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<IMessageDispatcher>(provider => provider.GetRequiredService<MessageTap>());
        return services;
    }
}
