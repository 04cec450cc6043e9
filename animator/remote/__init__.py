"""Rooms of an `animator serve` elsewhere, joined from this machine; and puppets published from it."""
