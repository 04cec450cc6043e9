"""Maths on whole arrays: rotations, rigid alignment, projection, filters, easing."""
