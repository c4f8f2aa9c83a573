using Microsoft.Extensions.DependencyInjection;

namespace EventMesh.Node;

/// <summary>What <c>AddEventMesh</c> returns; the features of other assemblies hang off it.</summary>
public interface IMeshBuilder
{
    /// <summary>The application's services.</summary>
    IServiceCollection Services { get; }
}
