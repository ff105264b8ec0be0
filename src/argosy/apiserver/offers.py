"""Which of a few offered media types a client likes best (RFC 9110, 12.5.1)."""


def preferred(accept: str, offers: tuple[str, ...]) -> str | None:
    """The offer that is liked best, the first of equals; None where none is taken.

    `offers` are media types without parameters; those that a client asks for don't count.
    """
    if not accept.strip():
        return offers[0]
    best, liking = None, 0.0
    clauses = [_clause(part) for part in accept.split(",")]
    for offer in offers:
        rank = max((q for media, q in clauses if _takes(media, offer)), default=0.0)
        if rank > liking:
            best, liking = offer, rank
    return best


def _clause(part: str) -> tuple[str, float]:
    media, *parameters = (piece.strip() for piece in part.split(";"))
    quality = 1.0
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "q":
            try:
                quality = float(value)
            except ValueError:
                quality = 0.0
    return media.lower(), quality


def _takes(media: str, offer: str) -> bool:
    return media in (offer, "*/*", f"{offer.partition('/')[0]}/*")
