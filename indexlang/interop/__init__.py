"""Files of others: pictures, arrays, weights and their maps."""
