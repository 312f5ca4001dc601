"""What Prometheus reads: counts, times and sizes, never an input."""

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

TYPE = CONTENT_TYPE_LATEST
SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
ROWS = (1, 2, 4, 8, 16, 32, 64)


class Meters:
    """The meters of one server. Labels come from tables of the server, never from a client."""

    def __init__(self) -> None:
        disable_created_metrics()
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        route = ["route", "method"]
        self.requests = Counter("headway_requests", "Requests answered", [*route, "status"], registry=registry)
        self.seconds = Histogram(
            "headway_request_seconds", "Seconds until a request was answered", route, buckets=SECONDS, registry=registry
        )
        self.inside = Gauge("headway_requests_inside", "Requests that are being answered", registry=registry)
        self.gone = Counter("headway_disconnects", "Clients that left before their answer", registry=registry)
        self.connections = Gauge("headway_connections", "Open connections", registry=registry)
        self.in_hand = Gauge("headway_body_bytes", "Bytes of requests that are held", registry=registry)
        self.inputs = Counter("headway_inputs", "Inputs answered", ["model"], registry=registry)
        self.shared = Counter("headway_shared_batches", "Batches of several requests", ["model"], registry=registry)
        self.rows = Histogram("headway_batch_inputs", "Inputs of a batch", ["model"], buckets=ROWS, registry=registry)
        self.batches = Histogram(
            "headway_batch_seconds", "Seconds that a batch took", ["model"], buckets=SECONDS, registry=registry
        )
        self.waiting = Gauge("headway_waiting_inputs", "Inputs in the queue", ["model"], registry=registry)
        self.window = Gauge("headway_window_open", "1 where the worker waits for company", ["model"], registry=registry)

    def batch(self, model: str, requests: int, rows: int, seconds: float) -> None:
        """A batch was answered."""
        self.inputs.labels(model).inc(rows)
        self.rows.labels(model).observe(rows)
        self.batches.labels(model).observe(seconds)
        if requests > 1:
            self.shared.labels(model).inc()

    def text(self) -> bytes:
        """All of them as Prometheus reads them."""
        return generate_latest(self.registry)
