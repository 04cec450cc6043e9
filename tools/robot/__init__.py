"""The workshop of `tools/make_robot_rig.py`."""
