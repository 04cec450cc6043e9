"""Pure codecs between bytes and Motion: no sockets, no clocks."""
