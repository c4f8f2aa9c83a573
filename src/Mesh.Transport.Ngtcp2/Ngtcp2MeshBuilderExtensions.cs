using EventMesh.Node;
using EventMesh.Transport;
using EventMesh.Transport.Ngtcp2;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registration of the ngtcp2 transport.</summary>
public static class Ngtcp2MeshBuilderExtensions
{
    /// <summary>
    /// Offers QUIC by libngtcp2, which <c>auto</c> prefers where the library is installed. Where it is missing the node says so and uses
    /// the next provider.
    /// </summary>
    public static IMeshBuilder AddNgtcp2(this IMeshBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<ITransportProvider, Ngtcp2TransportProvider>());
        return builder;
    }
}
