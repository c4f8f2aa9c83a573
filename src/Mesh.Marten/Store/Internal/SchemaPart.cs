namespace EventMesh.Marten.Store.Internal;

/// <summary>A part of the schema that is ours, not Marten's.</summary>
/// <param name="Since">The first version of the schema that has it.</param>
/// <param name="Name">For people.</param>
/// <param name="Sql">
/// Statements that make it, each of which may run again on a schema that has it: every upgrade runs all parts. Each ends with a semicolon; names are
/// qualified. They are also what <c>mesh store script</c> prints, so nothing may depend on a parameter.
/// </param>
internal sealed record SchemaPart(int Since, string Name, string Sql);
