"""One server, many clients: pages, rooms, worker processes."""
