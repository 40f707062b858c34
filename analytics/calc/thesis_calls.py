"""What a recommendation calls for (design §9). Apart from the settlement, which loads kernels."""

UP, DOWN, FLAT = 1, -1, 0
CALLS = {"BUY": UP, "TRIM": DOWN, "LIQUIDATE": DOWN, "AVOID": DOWN, "HOLD": FLAT}
