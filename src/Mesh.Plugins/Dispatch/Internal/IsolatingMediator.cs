using MediatR;

namespace EventMesh.Plugins.Dispatch.Internal;

/// <summary>
/// A mediator whose handlers do not disturb each other: MediatR's own stops at the first that throws. It serves one publish.
/// </summary>
internal sealed class IsolatingMediator(ServiceFactory services, IReadOnlySet<int>? only) : Mediator(Restrict(services, only))
{
    private readonly List<Exception> _failures = [];

    /// <summary>The handlers that failed, by their place in the order of registration.</summary>
    public HashSet<int> Failed { get; } = [];

    /// <summary>What they threw.</summary>
    public Exception? Failure => _failures.Count switch
    {
        0 => null,
        1 => _failures[0],
        _ => new AggregateException(_failures),
    };

    /// <summary>Runs all handlers, one after another; it collects what they throw.</summary>
    protected override async Task PublishCore(IEnumerable<Task> allHandlers)
    {
        // The sequence is lazy: each step calls the next handler, so a handler that throws at once throws out of MoveNext.
        using IEnumerator<Task> handlers = allHandlers.GetEnumerator();
        for (int i = 0; ; i++)
        {
            try
            {
                if (!handlers.MoveNext())
                    return;
                await handlers.Current.ConfigureAwait(false);
            }
            catch (Exception e)
            {
                _failures.Add(e);
                Failed.Add(only is null ? i : only.Order().ElementAt(i));
            }
        }
    }

    // Handlers are asked for as IEnumerable<INotificationHandler<T>>, in the order of registration; only some of them run again.
    private static ServiceFactory Restrict(ServiceFactory services, IReadOnlySet<int>? only) => only is null
        ? services
        : type =>
        {
            object service = services(type);
            if (!type.IsGenericType || type.GetGenericTypeDefinition() != typeof(IEnumerable<>)
                || !type.GenericTypeArguments[0].IsGenericType
                || type.GenericTypeArguments[0].GetGenericTypeDefinition() != typeof(INotificationHandler<>))
                return service;
            object?[] kept = [.. ((IEnumerable<object?>)service).Where((_, i) => only.Contains(i))];
            var typed = Array.CreateInstance(type.GenericTypeArguments[0], kept.Length);
            kept.CopyTo(typed, 0);
            return typed;
        };
}
