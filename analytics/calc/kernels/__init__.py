"""Every compiled loop of the detector. Row t reads rows up to t and nothing else.

The loops that look forward live in ``analytics.calc.outcomes``, so that an import
contract can prove that no line of the detector reaches them.

Windows are counted in sessions, not in rows: a missing session is a hole in the window.
Each window is summed afresh, newest row first, and adjusted to the split basis of its own
last row, so a result depends on the rows of its window alone: a scan of one session gives
the bits of a replay of ten years. No fastmath and no parallel reductions, for that reason;
work is spread over threads by ranges of rows.

A compiled loop calls only loops of its own file: numba's cache does not notice a change in
another one. Constants come from ``layout``; after a change there, bump ``layout.REVISION``.
"""
