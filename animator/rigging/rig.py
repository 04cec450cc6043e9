"""Moved to `animator.rig`."""

from ..rig import ROLES, Joint, Material, Mesh, Part, Rig

__all__ = ["ROLES", "Joint", "Material", "Mesh", "Part", "Rig"]
