"""The project: settings, URLs and the ways in that belong to no single app.

polars reads its engine affinity when it is imported. Its streaming engine adds floating-point
sums in a varying order, so a run could not be repeated bit for bit.
"""

import os

os.environ.setdefault("POLARS_ENGINE_AFFINITY", "in-memory")
