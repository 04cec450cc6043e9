"""How the bundled performance is made: a portrait becomes a moving face with known truth."""
