"""Pictures, motion and messages to and from browsers and other peers. The only home of aiortc."""
