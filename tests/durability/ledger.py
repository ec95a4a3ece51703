"""Four senders that remember what they were promised, and send it again now and then."""

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.durability.rig import Rig
from tests.durability.sending import Made, made, retrieve, store, stored

AT_ONCE = 12


class Ledger:
    """Everything that was acknowledged, by SOP Instance UID; counts of what was not."""

    def __init__(self) -> None:
        self.kept: dict[str, Made] = {}
        self.answers = self.acknowledgements = self.broken = 0
        self.lock = threading.Lock()

    def note(self, sent: list[Made], acknowledged: set[str]) -> None:
        """After an answer."""
        with self.lock:
            self.answers += 1
            self.acknowledgements += len(acknowledged)
            self.kept.update({item.sop: item for item in sent if item.sop in acknowledged})

    def some(self, chance: random.Random, most: int) -> list[Made]:
        """A few of the acknowledged objects."""
        with self.lock:
            known = list(self.kept.values())
        return chance.sample(known, min(most, len(known)))


class Sender(threading.Thread):
    """Sends batches of new and of known objects until told to stop."""

    def __init__(self, rig: Rig, ledger: Ledger, number: int, seed: int) -> None:
        super().__init__(daemon=True)
        self.rig, self.ledger, self.number = rig, ledger, number
        self.chance = random.Random(f"{seed}-{number}")
        self.over = threading.Event()
        self.sent = 0
        self.failed: list[list[Made]] = []

    def run(self) -> None:
        """Until `over`; what broke off is sent again, as senders do."""
        while not self.over.is_set():
            batch = self._batch()
            try:
                answer = store(self.rig.port, self.rig.token, batch, timeout=60)
            except OSError:
                self.ledger.broken += 1
                self.failed.append(batch)
                time.sleep(0.05)
                continue
            self.ledger.note(batch, stored(answer))
            if answer.status >= 500:
                self.failed.append(batch)

    def _batch(self) -> list[Made]:
        if self.failed and self.chance.random() < 0.5:
            return self.failed.pop()
        # One study in four is everybody's: its counts are raised by four senders at once.
        owner = "all" if self.chance.random() < 0.25 else self.number
        study = f"{owner}-{self.chance.randrange(8)}"
        first = self.sent * 4 + self.number
        self.sent += AT_ONCE
        fresh = [
            made(study, first + 4 * n, side=self.chance.choice((8, 24, 160)))
            for n in range(self.chance.randint(1, AT_ONCE))
        ]
        again = self.ledger.some(self.chance, 4) if self.chance.random() < 0.4 else []
        batch = fresh + again
        self.chance.shuffle(batch)
        return batch


@contextmanager
def senders(rig: Rig, ledger: Ledger, seed: int, count: int = 4) -> Iterator[list[Sender]]:
    """These many senders for the time of the block."""
    threads = [Sender(rig, ledger, number, seed) for number in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield threads
    finally:
        for thread in threads:
            thread.over.set()
        for thread in threads:
            thread.join(90)


def not_as_sent(rig: Rig, items: list[Made]) -> list[str]:
    """The acknowledged objects that WADO-RS does not give back bit for bit."""
    wrong: list[str] = []

    def read(share: list[Made]) -> None:
        for item in share:
            answer = retrieve(rig.port, rig.token, item)
            if answer.status != 200 or answer.body != item.raw:
                wrong.append(item.sop)

    threads = [threading.Thread(target=read, args=(items[n::4],)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return wrong
