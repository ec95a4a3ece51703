"""Whether the time of an answer tells a hidden study from one that does not exist (A06).

`python -m bench timing [--pairs 1000]`: a region in which Hilltop may see a few of Riverside's
studies; its machine and Ben's browser ask for the others, and for ids that were never given, by
the main routes, in pairs that follow each other in an order of chance. Printed by route: the area
under the ROC curve of a classifier that ranks by time, the accuracy of the best single threshold,
the medians. The answers themselves are the same bytes, or it stops. In process, without sockets: a
network only adds noise.
"""

import argparse
import gc
import os
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

WORST = 0.55
STUDIES = 40
Ask = Callable[[str], Any]


def main() -> int:
    """Print the table; 1 when the time tells more than WORST of all pairs together."""
    parser = argparse.ArgumentParser(prog="python -m bench timing", description=__doc__)
    parser.add_argument("--pairs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    return _run(given.pairs, random.Random(given.seed))


def _run(pairs: int, rng: random.Random) -> int:
    import django

    django.setup()
    from django.db import connection
    from django.test.utils import setup_test_environment

    setup_test_environment()
    connection.creation.create_test_db(verbosity=0)  # it ends with its folder
    return _print(_measured(list(_routes(_world(), rng)), pairs, rng))


def _world() -> dict[str, Any]:
    """Forty studies of Riverside's with an image each; Hilltop may see four."""
    from django.utils import timezone

    from tests import cast
    from tests.oracle import timed

    return timed.world(cast.region.__wrapped__(None), STUDIES, timezone.now())


def _routes(world: dict[str, Any], rng: random.Random) -> Iterator[tuple[str, Ask, Any]]:
    """(name, how to ask, an id of each kind) of each route."""
    hidden = world["hidden"]
    absent = [{kind: _never(text, rng) for kind, text in each.items()} for each in hidden]

    def uids(exists: bool) -> dict[str, str]:
        return rng.choice(hidden if exists else absent)

    series = "/dicomweb/studies/{study}/series/{series}"
    image = f"{series}/instances/{{instance}}"
    machine, ben = world["machine"], world["ben"]
    for name, ask, path in (
        ("study metadata", machine, "/dicomweb/studies/{study}/metadata"),
        ("series metadata", machine, f"{series}/metadata"),
        ("frame", machine, f"{image}/frames/1"),
        ("instance", machine, image),
        ("rendered", machine, f"{image}/rendered"),
        ("search by study", machine, "/dicomweb/studies?StudyInstanceUID={study}"),
        ("search by patient", machine, "/dicomweb/studies?PatientID={identifier}"),
        ("REST study", machine, "/api/v1/studies/{name}/"),
        ("page of a study", ben, "/studies/{name}/"),
        ("viewer", ben, "/viewer/{name}/"),
        ("thumbnail", ben, "/studies/{name}/thumbnail/"),
        ("list, searched", ben, "/studies/?q={identifier}"),
    ):
        yield name, ask, lambda exists, path=path: path.format(**uids(exists))


def _never(text: str, rng: random.Random) -> str:
    """An id of the same form that nobody was given."""
    return text[:-6] + "".join(_drawn(letter, rng) for letter in text[-6:])


def _drawn(letter: str, rng: random.Random) -> str:
    if letter.isdigit():
        return rng.choice("123456789")
    return rng.choice("abcdefghijklmnopqrstuvwxyz") if letter.isalpha() else letter


def _measured(
    asked: list[tuple[str, Ask, Any]], pairs: int, rng: random.Random
) -> dict[str, tuple[list[float], list[float]]]:
    """Seconds of each route, for what is hidden and for what is not."""
    found: dict[str, tuple[list[float], list[float]]] = {}
    each = max(1, pairs // len(asked))
    for name, ask, path in asked:
        spent: tuple[list[float], list[float]] = ([], [])
        for number in range(each + 20):
            told = {}
            for exists in rng.sample([True, False], 2):
                where = path(exists)
                gc.disable()
                begun = time.perf_counter()
                answer = ask(where)
                taken = time.perf_counter() - begun
                gc.enable()
                told[exists] = answer
                if number >= 20:
                    spent[not exists].append(taken)
            if told[True] != told[False]:
                sys.exit(f"{name}: the answers differ, {told}")
        found[name] = spent
    return found


def _print(found: dict[str, tuple[list[float], list[float]]]) -> int:
    print("| route | AUC | best threshold | hidden, ms | absent, ms |\n|---|---|---|---|---|")
    together: tuple[list[float], list[float]] = ([], [])
    for name, spent in found.items():
        middle = statistics.median(spent[0] + spent[1])
        for side in (0, 1):
            together[side].extend(seconds / middle for seconds in spent[side])
        _line(name, spent, 1000)
    area = _line("all, each by its median", together, 1)
    return int(area > WORST)


def _line(name: str, spent: tuple[list[float], list[float]], scale: int) -> float:
    area = auc(*spent)
    medians = [f"{statistics.median(side) * scale:.3f}" for side in spent]
    print(f"| {name} | {area:.3f} | {threshold(*spent):.3f} | {' | '.join(medians)} |")
    return area


def auc(hidden: list[float], absent: list[float]) -> float:
    """How often a time of one side is longer than one of the other, whichever way tells more."""
    ranked = sorted([(t, 1) for t in hidden] + [(t, 0) for t in absent])
    ranks = sum(rank for rank, (_, is_hidden) in enumerate(ranked, 1) if is_hidden)
    n, m = len(hidden), len(absent)
    area = (ranks - n * (n + 1) / 2) / (n * m)
    return max(area, 1 - area)


def threshold(hidden: list[float], absent: list[float]) -> float:
    """The share that the best single threshold puts on the right side; of few it is by chance."""
    ranked = sorted([(t, 1) for t in hidden] + [(t, 0) for t in absent])
    right = best = len(absent)
    for _, is_hidden in reversed(ranked):
        right += 1 if is_hidden else -1
        best = max(best, right, len(ranked) - right)
    return best / len(ranked)


if __name__ == "__main__":
    sys.exit(main())
