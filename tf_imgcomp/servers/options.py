"""Settings of a server, TensorFlow Serving or Triton."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ServerOptions:
    """Where a server listens, and how much it takes.

    Attributes:
        address: to listen at. TensorFlow Serving ignores it and listens at all
            interfaces.
        grpc_port, http_port: for requests.
        metrics_port: for Prometheus; of Triton only.
        max_batch: elements of a batch, of one request or of several put together; 1
            for no batches.
        batch_delay: milliseconds that a request waits for others.
        max_queue: most waiting requests of a signature; of TensorFlow Serving, most
            batches. The server refuses more as unavailable.
    """

    address: str = "127.0.0.1"
    grpc_port: int = 8500
    http_port: int = 8501
    metrics_port: int = 8502
    max_batch: int = 8
    batch_delay: float = 2.0
    max_queue: int = 64
