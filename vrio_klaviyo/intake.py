"""
The story, first half: an inbound event becomes deliveries, one job per source.

load → complete → build → gate → open, in small batches, under the source's lease. A batch is read before its
transaction begins; then its events are finished and their deliveries opened together, or not at all. A customer's long
history is read before it too, and what is known of it goes from one batch to the next.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from vrio_klaviyo import log
from vrio_klaviyo.assembling import as_of_webhook, judged_by, keep_judgement
from vrio_klaviyo.consequences import Ended, Finisher, Loaded, things_told
from vrio_klaviyo.errors import LeaseLost, UnreadableWebhook
from vrio_klaviyo.lookups import AGAIN_AFTER, INCOMPLETE, look_up, needed
from vrio_klaviyo.lookups import PATIENCE as LOOKUP_PATIENCE
from vrio_klaviyo.recollection import Recollection
from vrio_klaviyo.store import inbound, leases
from vrio_klaviyo.store.connections import list_connections
from vrio_klaviyo.store.db import Database, DatabaseError, Session, is_outage
from vrio_klaviyo.store.inbound import MOST_STARTS, InboundEvent, InboundStatus
from vrio_klaviyo.store.leases import Lease
from vrio_klaviyo.store.memory import MOST_AT_ONCE, LongHistory, Memory
from vrio_klaviyo.store.sources import Source, find_source
from vrio_klaviyo.vrio import schemas
from vrio_klaviyo.vrio.client import VrioClient

SLICE_S = 4.0
# A batch holds SQLite's write lock, for which incoming webhooks wait, for some twenty milliseconds.
BATCH = 16
# After so much work the rest of a batch is given back, because each of it took more than most do; the next is smaller.
# Waiting for a busy machine does not count: smaller batches would only make it busier.
LONGEST_BATCH_S = 0.1

DIED = "Its worker died three times while working on this."


class Intake:
    """
    Works off what a source has sent.

    Shape:  `stopping` tells that the process was asked to end: the batch under way is finished, no other begins. begun
            are the webhooks of the batch under way, or of the last one.
    """

    def __init__(
        self,
        *,
        db: Database,
        ring: Callable[[str, str], bool],
        now: Callable[[], datetime],
        vrio_client: Callable[[Source], VrioClient | None] = lambda source: None,
        stopping: Callable[[], bool] = lambda: False,
        longest_batch_s: float = LONGEST_BATCH_S,
    ) -> None:
        self._db = db
        self._vrio_client = vrio_client
        self._ring = ring
        self._now = now
        self._stopping = stopping
        self._longest_batch_s = longest_batch_s
        self.begun: list[str] = []
        # Begun in vain because the database failed, and it could not even be told so yet.
        self._blameless: list[str] = []
        # For as long as the lease is held: what is known of the source, and how many there is time for in a batch.
        self._known: Recollection | None = None
        self._at_once = BATCH

    def drain(self, source_id: str, owner: str) -> None:
        """Work off what is waiting, for one slice of time; ring again when more is."""
        lease = leases.acquire(self._db, f"intake/{source_id}", owner, self._now())
        if lease is None:
            return
        try:
            slice_ends = time.monotonic() + SLICE_S
            while time.monotonic() < slice_ends and not self._stopping() and self._batch(source_id, lease):
                pass
        except LeaseLost:
            log.warning("intake.lease_lost", source=source_id, fence=lease.fence)
        finally:
            self._known, self._at_once = None, BATCH
            leases.release(self._db, lease)
        # What came in after the last look rang in vain, because the lease was still held.
        with self._db.read() as session:
            more = inbound.is_waited_for(session, source_id)
        if more:
            self._ring("intake", source_id)

    def _batch(self, source_id: str, lease: Lease) -> bool:
        """Work off the next few; False when there were none."""
        with self._db.write() as session:
            leases.hold(session, lease, self._now())
            inbound.take_back(session, self._blameless)
            source = find_source(session, source_id)
            client = self._vrio_client(source)
            # Asking Vrio may take as long as a whole slice: with one at a time nothing that was begun is left over.
            claimed = inbound.claim_received(session, source_id, self._at_once if client is None else 1)
        self.begun, self._blameless = [event.id for event in claimed], []
        try:
            self._finish(claimed, source, client, lease)
        except DatabaseError as error:
            if is_outage(error):
                self._take_back()
            raise
        return bool(claimed)

    def _take_back(self) -> None:
        """An outage is no webhook's death: it must not count as one, and if it lasts, is told of later."""
        self._blameless = self.begun
        with suppress(DatabaseError), self._db.write() as session:
            inbound.take_back(session, self._blameless)
            self._blameless = []

    def _finish(self, claimed: list[InboundEvent], source: Source, client: VrioClient | None, lease: Lease) -> None:
        loaded = [load(event, source) for event in claimed]
        if client is not None:
            loaded = [self._looked_up(event, source, client, lease) for event in loaded]
        ended: list[Ended] | None = None
        with suppress(LongHistory):
            ended = self._told(loaded, source, lease, MOST_AT_ONCE)
        if ended is None:
            # Reading it takes seconds, in which others want to write.
            with self._db.read() as session:
                self._recalled(session, source).read_ahead(things_told(loaded))
            ended = self._told(loaded, source, lease)
        for event, end in zip(loaded, ended, strict=False):
            tell = log.error if end.status == InboundStatus.FAILED else log.info
            tell("inbound.finished", inbound=event.inbound.id, source=source.id, status=str(end.status))
        for lane in frozenset[str]().union(*(end.lanes for end in ended)):
            self._ring("lane", lane)

    def _told(self, loaded: list[Loaded], source: Source, lease: Lease, at_most: int | None = None) -> list[Ended]:
        """
        How these ended, as far as there was time for them; the rest is given back.

        Raises: LongHistory, with nothing done.
        """
        with self._db.write() as session:
            leases.hold(session, lease, self._now())
            ends = time.thread_time() + self._longest_batch_s
            connections = list_connections(session, source.workspace_id)
            finisher = Finisher(session, source, connections, self._now(), self._recalled(session, source))
            ended = finisher.finish(loaded, lambda: time.thread_time() >= ends, at_most)
            rest = [event.inbound.id for event in loaded[len(ended) :]]
            if rest:
                inbound.take_back(session, rest)
        self._at_once = len(ended) if rest else min(BATCH, self._at_once + 1)
        return ended

    def _recalled(self, session: Session, source: Source) -> Recollection:
        """What is known of the source, in this transaction; as much of it as can be from those before."""
        if self._known is None:
            self._known = Recollection(Memory(session, source.id))
        else:
            self._known.go_on(session)
        return self._known

    def _looked_up(self, event: Loaded, source: Source, client: VrioClient, lease: Lease) -> Loaded:
        """The event, after what it leaves out was asked for and remembered; or the time to ask again."""
        record = event.webhook.record if event.webhook else None
        if event.webhook is None or record is None:
            return event
        with self._db.read() as session:
            lookups = needed(event.webhook.event, record, self._recalled(session, source).memory)
        if not lookups:
            return event
        looked, now = look_up(lookups, client, self._now()), self._now()
        with self._db.write() as session:
            leases.hold(session, lease, now)
            memory = self._recalled(session, source).memory
            as_of = as_of_webhook(event.webhook, event.inbound)
            # Vrio's API shows a subscription as it became, the webhook is judged by what it was.
            if before := judged_by(memory, record, as_of, event.inbound):
                keep_judgement(memory, before, as_of, event.inbound)
            memory.remember(looked.pictures)
        if looked.again and now < event.inbound.received_at + LOOKUP_PATIENCE:
            return replace(event, again_at=now + AGAIN_AFTER)
        return replace(event, notes=(INCOMPLETE,)) if looked.failed else event


def load(event: InboundEvent, source: Source) -> Loaded:
    """What an inbound event says; when nobody can tell, or it has killed its workers, how it ends."""
    if event.starts > MOST_STARTS:
        return Loaded(event, None, InboundStatus.FAILED, event.reason or DIED)
    try:
        return Loaded(event, schemas.load(event.body, ZoneInfo(source.time_zone)))
    except UnreadableWebhook as error:
        return Loaded(event, None, InboundStatus.UNREADABLE, str(error))
