"""Examples and batches: from files, arrays and generators; fitted to inputs, split, shuffled, varied."""
