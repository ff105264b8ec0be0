"""What rollouts reckon with: amounts that are a number or a share of a whole."""


def scaled(amount: int | str, whole: int, *, up: bool = False) -> int:
    """`amount`, or as many of `whole` as its percentage says, rounded down (or up)."""
    if isinstance(amount, int):
        return amount
    share = int(amount.removesuffix("%")) * whole
    return -(-share // 100) if up else share // 100
