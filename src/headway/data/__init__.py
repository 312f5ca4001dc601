"""Files become examples, examples become rows of numbers, rows become batches."""
