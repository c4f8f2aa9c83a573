namespace PrivateLibrary;

/// <summary>A dependency that only the plugin has.</summary>
public static class Shout
{
    public static string Loudly(string text) => $"{text}!";
}
