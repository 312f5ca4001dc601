"""What it costs that elements are the nodes of a graph."""
