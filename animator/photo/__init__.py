"""An avatar of one person from one photo: the built-in human, bent to the face in it and painted with it."""
