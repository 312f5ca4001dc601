"""How training grows with processes: measured with one and two, predicted for one to 1,024 GPUs."""
