"""Draws avatars and pictures, on screen and off."""
