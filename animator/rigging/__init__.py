"""From motion to a moving surface: avatars are loaded here and deformed here, and drawn elsewhere."""
