"""The kernels' work by numpy and scipy on one thread: prints JSON with seconds of each, best of some rounds."""

import json
import os
import time

os.environ["OPENBLAS_NUM_THREADS"] = "1"
import numpy
import scipy.linalg
import scipy.sparse

random = numpy.random.default_rng(1)


def best(run, rounds=5):
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        run()
        times.append(time.perf_counter() - started)
    return min(times)


tall = random.standard_normal((20_000, 128), dtype=numpy.float32)
small = random.standard_normal((128, 128), dtype=numpy.float32)
vector = random.standard_normal(128, dtype=numpy.float32)
rows = random.integers(0, 20_000, 20_000)
definite = {n: numpy.float32(n) * numpy.eye(n, dtype=numpy.float32) + 1 for n in (64, 128, 1_024)}
starts = numpy.arange(0, 20_001 * 25, 25)
sparse = scipy.sparse.csr_matrix(
    (numpy.ones(500_000, numpy.float32), random.integers(0, 20_000, 500_000), starts), shape=(20_000, 20_000)
)
factor = numpy.linalg.cholesky(definite[128])


def factors(n, count):
    for _ in range(count):
        scipy.linalg.cholesky(definite[n], lower=True, check_finite=False)


print(
    json.dumps(
        {
            "gram": best(lambda: tall.T @ tall),
            "multiply": best(lambda: tall @ small),
            "sparseTimesDense": best(lambda: sparse @ tall),
            "dotsOf": best(lambda: tall[rows] @ vector),
            "cholesky64": best(lambda: factors(64, 100)),
            "cholesky128": best(lambda: factors(128, 100)),
            "inverse1024": best(lambda: numpy.linalg.inv(definite[1_024])),
        }
    )
)
