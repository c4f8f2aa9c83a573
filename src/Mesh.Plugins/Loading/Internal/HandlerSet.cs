using System.Reflection;
using EventMesh.Notifications;
using MediatR;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace EventMesh.Plugins.Loading.Internal;

/// <summary>The MediatR handlers of an assembly, found by scanning all its types, public or not.</summary>
internal sealed class HandlerSet
{
    private readonly List<(Type Service, Type Implementation)> _registrations = [];

    // Only contract types: a plugin's own type here would outlive its unloading in the host's structures.
    private readonly HashSet<Type> _notifications = [];

    private readonly List<string> _requestHandlers = [];
    private readonly List<string> _largeMessageHandlers = [];
    private bool _hasOpenHandlers;

    /// <summary>Whether there is a handler of requests.</summary>
    public bool HandlesRequests => _requestHandlers.Count > 0;

    /// <summary>The names of the handlers of requests; more than one is ambiguous.</summary>
    public IReadOnlyList<string> RequestHandlers => _requestHandlers;

    /// <summary>The names of the handlers of large messages; more than one is ambiguous.</summary>
    public IReadOnlyList<string> LargeMessageHandlers => _largeMessageHandlers;

    /// <summary>The names of handlers that the mesh never calls, with what they wait for.</summary>
    public List<(string Handler, string Notification)> NeverCalled { get; } = [];

    /// <summary>Whether a notification of this type has a handler.</summary>
    public bool Handles(Type notification) => _hasOpenHandlers || _notifications.Contains(notification);

    /// <summary>Adds the handlers of an assembly.</summary>
    public HandlerSet Scan(Assembly assembly) => Scan(assembly.GetTypes());

    /// <summary>Adds the handlers among some types.</summary>
    public HandlerSet Scan(params IEnumerable<Type> types)
    {
        foreach (Type type in types.Where(type => type is { IsClass: true, IsAbstract: false }))
        {
            foreach (Type handled in type.GetInterfaces().Where(candidate => candidate.IsGenericType))
                Add(type, handled);
        }

        return this;
    }

    /// <summary>
    /// Registers the handlers, transient; one that is registered already keeps its lifetime and is not called twice.
    /// </summary>
    public void AddTo(IServiceCollection services)
    {
        foreach ((Type service, Type implementation) in _registrations)
            services.TryAddEnumerable(ServiceDescriptor.Transient(service, implementation));
    }

    private void Add(Type type, Type handled)
    {
        Type definition = handled.GetGenericTypeDefinition();
        if (definition == typeof(INotificationHandler<>))
        {
            Type notification = handled.GenericTypeArguments[0];
            if (type.IsGenericTypeDefinition)
            {
                if (type.GetGenericArguments() is [var parameter] && parameter == notification)
                {
                    _hasOpenHandlers = true;
                    _registrations.Add((definition, type));
                    return;
                }
            }
            else if (notification.Assembly == typeof(MessageReceived).Assembly && notification.IsSealed)
            {
                _notifications.Add(notification);
                _registrations.Add((handled, type));
                return;
            }

            NeverCalled.Add((type.Name, notification.Name));
        }
        else if (definition == typeof(IRequestHandler<,>))
        {
            if (handled == typeof(IRequestHandler<RemoteRequest, ReadOnlyMemory<byte>>) && !type.IsGenericTypeDefinition)
            {
                _requestHandlers.Add(type.Name);
                _registrations.Add((handled, type));
            }
            else if (handled == typeof(IRequestHandler<LargeMessage, Unit>) && !type.IsGenericTypeDefinition)
            {
                _largeMessageHandlers.Add(type.Name);
                _registrations.Add((handled, type));
            }
            else
            {
                NeverCalled.Add((type.Name, handled.GenericTypeArguments[0].Name));
            }
        }
    }
}
