namespace EventMesh.Transport.Quic.Internal;

/// <summary>
/// The streams that the peer lets us open, handed out in the order of the requests. A stream of System.Net.Quic that is cancelled
/// while it waits for the limit has taken a number already, which the peer then sees reset; waiting here takes none.
/// </summary>
internal sealed class StreamCapacity
{
    private readonly Lock _mutex = new();
    private readonly LinkedList<Request>[] _requests = [new(), new()];
    private readonly long[] _available = new long[2];
    private Func<MeshException>? _failure;

    /// <summary>Calls <paramref name="open"/> once a stream may be opened, in the order of the calls of this method.</summary>
    public Task<T> RequestAsync<T>(StreamDirection direction, Func<Task<T>> open, CancellationToken cancellationToken)
    {
        lock (_mutex)
        {
            if (_failure is not null)
                return Task.FromException<T>(_failure());
            if (cancellationToken.IsCancellationRequested)
                return Task.FromCanceled<T>(cancellationToken);
            LinkedList<Request> requests = _requests[(int)direction];
            if (requests.Count == 0 && _available[(int)direction] > 0)
            {
                _available[(int)direction]--;
                return open();
            }
            var request = new Request<T>(open);
            requests.AddLast(request);
            if (cancellationToken.CanBeCanceled)
                request.Registration = cancellationToken.UnsafeRegister(_ => Cancel(requests, request, cancellationToken), null);
            return request.Task;
        }
    }

    public void Add(int unidirectional, int bidirectional)
    {
        lock (_mutex)
        {
            Add(StreamDirection.Unidirectional, unidirectional);
            Add(StreamDirection.Bidirectional, bidirectional);
        }
    }

    /// <summary>Fails what waits and what comes.</summary>
    public void Fail(Func<MeshException> failure)
    {
        lock (_mutex)
        {
            if (_failure is not null)
                return;
            _failure = failure;
            foreach (LinkedList<Request> requests in _requests)
            {
                foreach (Request request in requests)
                    request.Fail(failure());
                requests.Clear();
            }
        }
    }

    private void Add(StreamDirection direction, int count)
    {
        long available = _available[(int)direction] + count;
        while (available > 0 && _requests[(int)direction].First is { } first)
        {
            _requests[(int)direction].RemoveFirst();
            available--;
            first.Value.Open();
        }
        _available[(int)direction] = available;
    }

    private void Cancel(LinkedList<Request> requests, Request request, CancellationToken cancellationToken)
    {
        lock (_mutex)
        {
            if (requests.Remove(request))
                request.Cancel(cancellationToken);
        }
    }

    private abstract class Request
    {
        public CancellationTokenRegistration Registration { get; set; }

        public abstract void Open();

        public abstract void Fail(MeshException exception);

        public abstract void Cancel(CancellationToken cancellationToken);
    }

    private sealed class Request<T>(Func<Task<T>> open) : Request
    {
        private readonly TaskCompletionSource<Task<T>> _source = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<T> Task => _source.Task.Unwrap();

        public override void Open()
        {
            Registration.Unregister();
            _source.TrySetResult(open());
        }

        public override void Fail(MeshException exception)
        {
            Registration.Unregister();
            _source.TrySetException(exception);
            _ = _source.Task.Exception;
        }

        public override void Cancel(CancellationToken cancellationToken) => _source.TrySetCanceled(cancellationToken);
    }
}
