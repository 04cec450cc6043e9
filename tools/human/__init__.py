"""What `tools/make_human_rig.py` is made of: each file builds one thing of the head, in centimetres."""
