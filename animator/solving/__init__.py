"""From landmarks to head pose, gaze and the 52 ARKit weights. It sees no picture."""
