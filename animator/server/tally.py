"""What a worker has counted: of those who have gone, and of those who are here."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from .metrics import Spent, merge_stages
from .performer import Performer
from .session import Session
from .studio import Output


@dataclass(slots=True)
class Tally:
    """Sums that only rise."""

    counts: Counter[str] = field(default_factory=Counter)
    """By the names of metrics.COUNTERS."""
    stages: dict[str, Spent] = field(default_factory=dict)

    def copy(self) -> Tally:
        """One that shares nothing with this."""
        other = Tally(Counter(self.counts))
        merge_stages(other.stages, self.stages)
        return other

    def add_session(self, session: Session) -> None:
        """Add one client's share: its camera, its puppet."""
        if session.performer is not None:
            self._add_performer(session.performer)
        pictures = None if session.peer is None else session.peer.pictures
        if pictures is not None:
            self.counts["frames_in"] += pictures.received
            self.counts["frames_dropped"] += pictures.skipped
        if session.own is not None:
            self.add_output(session.own)

    def add_output(self, output: Output) -> None:
        """Add one stream of pictures."""
        lanes = output.fanout.counts.values()
        self.counts["frames_rendered"] += output.rendered
        self.counts["frames_encoded"] += sum(lane.frames for lane in lanes)
        self.counts["frames_sent"] += sum(lane.sent for lane in lanes)
        output.stopwatch.add_to(self.stages)

    def _add_performer(self, performer: Performer) -> None:
        self.counts["frames_tracked"] += performer.frames_solved
        performer.stopwatch.add_to(self.stages)
