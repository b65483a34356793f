"""EPC memory → identifier, against taking the same bytes apart and no more.

One JSON object a line: ours and reference in tags per second, taken in turns in one run; every tag is another one.
`link`: with the Digital Link, which is spelt out only when it is asked for.
"""

from __future__ import annotations

import json
import random
import struct
import sys
import time
from collections.abc import Callable, Sequence

from trace_core.ids import epc
from trace_core.ids.gs1 import check_digit

ROUNDS = 7
TAGS = 40_000
HOST = "id.example.com"
WORDS = struct.Struct(">IQ")


def main() -> int:
    """Exit code: 0 done."""
    rng = random.Random(1)
    classic = [
        epc.encode_sgtin96(_gtin(rng), rng.getrandbits(38), prefix_length=rng.randrange(6, 13)) for _ in range(TAGS)
    ]
    _report("sgtin-96", classic, _decode, _unpack)
    _report("sgtin-96 link", classic, _decode_link, _unpack)
    for scheme, query in (("sgtin+", ""), ("sgtin++", ""), ("dsgtin+", "?17=261231"), ("sgtin+", "?17=261231&37=12")):
        count = TAGS // 4
        links = [f"https://{HOST}/01/{_gtin(rng)}/21/{rng.getrandbits(40)}{query}" for _ in range(count)]
        case = f"{scheme} with data" if scheme == "sgtin+" and query else scheme
        _report(case, [epc.encode_link(link, scheme) for link in links], _decode, _from_bytes)
    return 0


def _report(
    case: str,
    tags: Sequence[bytes],
    ours: Callable[[Sequence[bytes]], int],
    reference: Callable[[Sequence[bytes]], int],
) -> None:
    best = {"ours": 0.0, "reference": 0.0}
    for _ in range(ROUNDS):
        for name, work in (("ours", ours), ("reference", reference)):
            begun = time.perf_counter()
            done = work(tags)
            best[name] = max(best[name], len(tags) / (time.perf_counter() - begun))
            if done != len(tags):
                raise SystemExit(f"epc: {case}: {name} gave {done} of {len(tags)}")
    line = {"bench": "epc", "case": case, "ours": round(best["ours"]), "reference": round(best["reference"])}
    print(json.dumps(line | {"unit": "tags/s", "ratio": round(best["ours"] / best["reference"], 3)}), flush=True)


def _decode(tags: Sequence[bytes]) -> int:
    decode = epc.decode
    return sum([1 for tag in tags if decode(tag).uri])


def _decode_link(tags: Sequence[bytes]) -> int:
    decode = epc.decode
    return sum([1 for tag in tags if decode(tag).digital_link])


def _unpack(tags: Sequence[bytes]) -> int:
    unpack = WORDS.unpack
    return sum([1 for tag in tags if unpack(tag)[0]])


def _from_bytes(tags: Sequence[bytes]) -> int:
    from_bytes = int.from_bytes
    return sum([1 for tag in tags if from_bytes(tag, "big")])


def _gtin(rng: random.Random) -> str:
    digits = f"{rng.randrange(10**13):013d}"
    return digits + check_digit(digits)


if __name__ == "__main__":
    sys.exit(main())
