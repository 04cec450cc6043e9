"""Where pictures and motion go."""
