"""Quality on real data, beside classical methods on the same split."""
