"""Pictures of training, by matplotlib: curves, filters, features, signals."""
