"""Finds faces in pictures and keeps their identities."""
