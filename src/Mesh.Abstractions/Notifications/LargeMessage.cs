using EventMesh.Identity;
using EventMesh.Messaging;
using MediatR;

namespace EventMesh.Notifications;

/// <summary>
/// A message above 256 KiB, or one that its sender streamed, while it arrives: a plugin or application that has an
/// <c>IRequestHandler&lt;LargeMessage&gt;</c> gets it as a stream, all others as a <see cref="MessageReceived"/> when it is within the buffered limit.
/// </summary>
/// <remarks>
/// One handler gets it, since it can be read only once, and it runs beside the plugin's queue. It reads <see cref="Content"/> to its end before it
/// returns, or has failed; its time limit starts anew with each read that brings something. A reader that stops reading stops the sender after
/// 1 MiB. A loss of the connection ends the read with an <see cref="IOException"/>.
/// </remarks>
/// <param name="Id">Its identity, the same as at the sender.</param>
/// <param name="From">The peer that sends it, proven by TLS.</param>
/// <param name="Channel">The channel.</param>
/// <param name="Length">Its length in bytes.</param>
/// <param name="Content">The content, forward only; not to be used after the handler has returned.</param>
public sealed record LargeMessage(MessageId Id, PeerId From, string Channel, long Length, Stream Content) : IRequest;
