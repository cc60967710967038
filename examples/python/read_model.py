"""Reads the model files of Arus with nothing but numpy, and answers as Arus does.

    python3 read_model.py bundle.arusmdl                        what is in it
    python3 read_model.py bundle.arusmdl B0001 B0002=3 -k 5     recommendations for who saw these, newest first,
                                                                the second with a weight of 3
    python3 read_model.py bundle.arusmdl --npz model.npz        every array, for numpy.load

README.md beside this file says how files are laid out.
"""

import argparse
import json
import math
import zlib
from dataclasses import dataclass

import numpy as np

DTYPES = {"u8": "<u1", "u32": "<u4", "f32": "<f4", "f64": "<f8"}
NEIGHBOUR_KINDS = ("walk", "content", "item-knn", "ease", "slim", "bought-together", "short-low-pass")
RANKING_KINDS = ("popular", "trending")
WEIGHT_MAX = 1e24
FOLDED_ITEMS_MAX = 512
NOISE = 1e-3


class ModelFileError(ValueError):
    """The bytes are no whole model file, or of a kind this reader does not know."""


@dataclass(frozen=True)
class ModelFile:
    """One file: its kind, what was noted with it, and its arrays as views into its bytes."""

    kind: str
    meta: dict
    sections: dict[str, np.ndarray]


def read_model_file(data) -> ModelFile:
    """Opens a file and checks its checksum."""
    data = memoryview(data)
    if len(data) < 16 or bytes(data[:8]) != b"ARUSMDL1":
        raise ModelFileError("it does not begin with ARUSMDL1")
    checksum, header_length = np.frombuffer(data[8:16], "<u4")
    if zlib.crc32(data[12:]) != checksum:
        raise ModelFileError("its checksum does not match; it was cut off or changed")
    header = json.loads(bytes(data[16 : 16 + header_length]))
    sections = {
        section["name"]: np.frombuffer(data, DTYPES[section["type"]], section["length"], section["offset"])
        for section in header["sections"]
    }
    return ModelFile(header["kind"], header["meta"], sections)


class RankingModel:
    """One ranking for everybody: popular, trending."""

    def __init__(self, file: ModelFile):
        self.scores = file.sections["scores"]

    def recommend(self, items, weights, k):
        return best(self.scores, np.arange(len(self.scores)), k, left_out=items)


class NeighbourModel:
    """An item-item matrix in compressed rows: an item's score is the sum of weight x similarity over the user's items."""

    def __init__(self, file: ModelFile):
        self.starts, self.columns, self.values = (file.sections[name] for name in ("starts", "columns", "values"))

    def recommend(self, items, weights, k):
        scores, touched = self.sums(items, weights)
        return best(scores, touched, k, left_out=items)

    def sums(self, items, weights):
        """Scores of all items, and which were added to. Summed in float32 and in the order of the items, as Arus does."""
        count = len(self.starts) - 1
        scores = np.zeros(count, np.float32)
        is_touched = np.zeros(count, bool)
        for item, weight in counting(items, weights, count):
            row = slice(self.starts[item], self.starts[item + 1])
            others = self.columns[row]
            scores[others] = scores[others] + weight * self.values[row].astype(np.float64)
            is_touched[others] = True
        return scores, np.flatnonzero(is_touched)


class LowPassModel(NeighbourModel):
    """A neighbour model and a part in low rank, left x V V^T x right, for the items the first one touches (GF-CF)."""

    def __init__(self, file: ModelFile):
        super().__init__(file)
        self.left, self.right = file.sections["left"], file.sections["right"]
        count = len(self.starts) - 1
        self.vectors = file.sections["vectors"].reshape(count, -1) if count > 0 else np.zeros((0, 0), np.float32)

    def recommend(self, items, weights, k):
        scores, touched = self.sums(items, weights)
        taste = np.zeros(self.vectors.shape[1], np.float32)
        for item, weight in counting(items, weights, len(self.left)):
            taste += np.float32(weight * float(self.left[item])) * self.vectors[item]
        scores[touched] += self.right[touched] * (self.vectors[touched] @ taste)
        return best(scores, touched, k, left_out=items)


class AlsModel:
    """Vectors of items, by Arus's own ALS or by Spark's: a user's vector is solved from their items (Hu, Koren, Volinsky 2008, eq. 4)."""

    def __init__(self, file: ModelFile):
        self.meta = file.meta
        count = file.meta["itemCount"]
        self.vectors = file.sections["items"].reshape(count, -1).astype(np.float64) if count > 0 else np.zeros((0, 16))
        self.beside = (file.sections["starts"], file.sections["columns"]) if file.meta["hasCandidates"] else None
        self.gram = file.meta["unobservedWeight"] * (self.vectors.T @ self.vectors)

    def recommend(self, items, weights, k):
        known = [pair for pair in counting(items, weights, len(self.vectors)) if pair[1] != 0][:FOLDED_ITEMS_MAX]
        if not any(weight > 0 for _, weight in known):
            return best(np.zeros(0), np.zeros(0, np.int64), k, left_out=items)
        own, liking = np.array([item for item, _ in known]), np.array([weight for _, weight in known])
        scores = (self.vectors @ self.fold_in(own, liking)).astype(np.float32)
        candidates = np.arange(len(scores))
        if self.beside is not None:
            starts, columns = self.beside
            candidates = np.unique(np.concatenate([columns[starts[item] : starts[item + 1]] for item in own]))
        most = max(0, scores[candidates].max(initial=0))
        return best(scores, candidates[scores[candidates] > NOISE * most], k, left_out=items)

    def fold_in(self, own, liking):
        unobserved, is_hu = self.meta["unobservedWeight"], self.meta.get("objective") == "hu-2008"
        size = np.abs(liking)
        confidence = np.where(size > 1, 1 + np.log(np.maximum(size, 1)), size)
        rows = self.vectors[own]
        entries = (liking > 0).sum() if is_hu else len(own) + unobserved * len(self.vectors)
        ridge = self.meta["ridge"] * entries ** self.meta["ridgeExponent"]
        system = self.gram + (rows.T * confidence) @ rows + ridge * np.eye(rows.shape[1])
        pull = np.where(liking > 0, confidence + (unobserved if is_hu else 0), 0)
        return np.linalg.solve(system, pull @ rows)


class BlendModel:
    """Several models: each one's scores divided by its best, times its weight, added up by item (CombSUM)."""

    def __init__(self, file: ModelFile):
        self.parts = sorted(
            (
                (weight, model_of(read_model_file(file.sections[f"part/{n}"])))
                for n, weight in enumerate(file.meta["weights"])
            ),
            key=lambda part: -part[0],
        )
        self.recency_exponent = file.meta["recencyExponent"]
        self.depth = file.meta["depth"]

    def recommend(self, items, weights, k):
        aged = [weight * (n + 1) ** -self.recency_exponent for n, weight in enumerate(weights)]
        sums: dict[int, float] = {}
        for part_weight, model in self.parts:
            found, scores = model.recommend(items, np.float32(aged), max(k, self.depth))
            factor = part_weight / (float(scores[0]) if len(scores) > 0 else 1)
            for item, score in zip(found.tolist(), scores.tolist()):
                sums[item] = sums.get(item, 0) + factor * score
        candidates = np.fromiter(sums.keys(), np.int64, len(sums))
        totals = np.fromiter(sums.values(), np.float64, len(sums)).astype(np.float32)
        order = np.lexsort((candidates, -totals))[:k]
        return candidates[order], totals[order]


def model_of(file: ModelFile):
    if file.kind in RANKING_KINDS:
        return RankingModel(file)
    if file.kind in NEIGHBOUR_KINDS:
        return NeighbourModel(file)
    if file.kind == "low-pass":
        return LowPassModel(file)
    if file.kind == "als":
        return AlsModel(file)
    if file.kind == "blend":
        return BlendModel(file)
    raise ModelFileError(f'this reader has no answers for "{file.kind}", only its arrays')


class Bundle:
    """The artefact of a version: the products, and every model that was fitted, by its algorithm."""

    def __init__(self, data):
        file = read_model_file(data)
        if file.kind != "bundle":
            raise ModelFileError(f'it is a file of kind "{file.kind}" and not the bundle of a version')
        table = read_model_file(file.sections["products"])
        text, starts = table.sections["bytes"].tobytes(), table.sections["starts"].tolist()
        self.products = [text[a:b].decode() for a, b in zip(starts, starts[1:])]
        self.item_of = {product: item for item, product in enumerate(self.products)}
        self.chosen = file.meta["chosen"]
        self.files = {kind: read_model_file(file.sections[f"model/{kind}"]) for kind in file.meta["kinds"]}

    @classmethod
    def open(cls, path):
        with open(path, "rb") as file:
            return cls(file.read())

    def recommend(self, history, k=10, kind=None):
        """The k best (product, score) for a user's products with weights, newest first; by the chosen model if none is named."""
        known = [(self.item_of[product], weight) for product, weight in history if product in self.item_of]
        items = np.array([item for item, _ in known], np.int64)
        weights = np.array([weight for _, weight in known], np.float32)
        found, scores = model_of(self.files[kind or self.chosen]).recommend(items, weights, k)
        return [(self.products[item], float(score)) for item, score in zip(found, scores)]

    def arrays(self):
        """Every array under a name such as `walk/values`; the parts of a blend are below `blend/part/0` and so on."""
        arrays = {"products": np.array(self.products)}
        for kind, file in self.files.items():
            arrays |= arrays_of(file, kind)
        return arrays


def arrays_of(file: ModelFile, prefix: str) -> dict[str, np.ndarray]:
    arrays = {}
    for name, section in file.sections.items():
        if file.kind == "blend":
            arrays |= arrays_of(read_model_file(section), f"{prefix}/{name}")
        else:
            arrays[f"{prefix}/{name}"] = section
    return arrays


def counting(items, weights, count):
    """Items that the model knows, with weights that count."""
    for item, weight in zip(items.tolist(), weights.tolist()):
        if item < count and math.isfinite(weight) and abs(weight) <= WEIGHT_MAX:
            yield item, weight


def best(scores, candidates, k, left_out):
    """The k best above 0, without the user's own; equal scores in order of the item."""
    candidates = candidates[(scores[candidates] > 0) & ~np.isin(candidates, left_out)]
    order = np.lexsort((candidates, -scores[candidates]))[: max(0, k)]
    return candidates[order], scores[candidates[order]]


def main():
    parser = argparse.ArgumentParser(description="Reads a model file of Arus.")
    parser.add_argument("bundle")
    parser.add_argument("products", nargs="*", help="what a user saw, newest first, as ID or ID=WEIGHT")
    parser.add_argument("-k", type=int, default=10)
    parser.add_argument("--kind", help="the algorithm that answers; default: the chosen one")
    parser.add_argument("--npz", help="write every array to this file")
    options = parser.parse_args()
    bundle = Bundle.open(options.bundle)
    if options.npz:
        np.savez_compressed(options.npz, **bundle.arrays())
    if not options.products:
        print(f"{len(bundle.products)} products; {', '.join(bundle.files)}; {bundle.chosen} answers")
        return
    history = []
    for text in options.products:
        product, _, weight = text.partition("=")
        history.append((product, float(weight or 1)))
    for product, score in bundle.recommend(history, options.k, options.kind):
        print(f"{product}\t{score:.6g}")


if __name__ == "__main__":
    main()
