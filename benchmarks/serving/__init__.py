"""The server under load: `python -m benchmarks.serving load|soak|restart RUN`."""
