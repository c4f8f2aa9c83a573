using System.Runtime.InteropServices;
using System.Text;

namespace EventMesh.Transport.Ngtcp2.Interop;

/// <summary>The parsed list of TLS versions, ciphers and groups.</summary>
internal sealed unsafe class PriorityHandle : SafeHandle
{
    // ChaCha20 comes last: in GnuTLS it is about eight times slower than AES-128-GCM.
    private const string Priorities =
        "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305:"
        + "-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1:%DISABLE_TLS13_COMPAT_MODE";

    public PriorityHandle()
        : base(0, ownsHandle: true)
    {
        nint priority;
        fixed (byte* text = Encoding.ASCII.GetBytes(Priorities + '\0'))
            Native.ThrowIfGnuTlsFailed(Native.gnutls_priority_init(&priority, text, null), "reading the priorities");
        SetHandle(priority);
    }

    public override bool IsInvalid => handle == 0;

    public int Apply(nint session) => Native.gnutls_priority_set(session, handle);

    protected override bool ReleaseHandle()
    {
        Native.gnutls_priority_deinit(handle);
        return true;
    }
}
