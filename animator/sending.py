"""Senders as listeners of a performance."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager

from .pipeline import Moment


@contextmanager
def sending_to(urls: Sequence[str]) -> Iterator[Callable[[Moment], None]]:
    """A listener that sends every moment to all of `urls`.

    Raises SettingError or SinkError before anything is sent."""
    from .sinks.network import open_sender

    with ExitStack() as stack:
        sinks = [stack.enter_context(closing(open_sender(url))) for url in urls]

        def send(moment: Moment) -> None:
            for sink in sinks:
                sink.write(moment.motions, moment.time_s)

        yield send
