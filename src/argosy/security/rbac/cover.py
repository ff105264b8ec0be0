"""Whether somebody holds all that a role would grant, and what they lack.

A rule is taken apart down to one group, resource, verb and name; each such piece must be covered by
one of the rules that are held. What is held is narrowed down step by step, so that rules of great
lists cost what they have to. Source: Kubernetes' rule coverage for RBAC.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice, product

from argosy.security.rbac.objects import PolicyRule, among, path_covers

Rules = Sequence[PolicyRule]
MOST_LACKING = 1000
"""So many missing pieces are told at most."""
MOST_COMPARED = 200_000
"""So many pieces are looked at; a role of more is held only by who holds its rules as they are."""


class TooManyError(Exception):
    """The rules come to more pieces than are compared."""


def lacking(held: Rules, wanted: Iterable[PolicyRule]) -> list[PolicyRule]:
    """The pieces of `wanted` that none of `held` covers. Raises TooManyError."""
    known = set(held)
    budget = iter(range(MOST_COMPARED))
    pieces = (
        piece
        for rule in wanted
        if rule not in known
        for piece in chain(_paths_lacking(held, rule, budget), _lacking(held, rule, budget))
    )
    return list(islice(pieces, MOST_LACKING))


def _spend(budget: Iterator[int]) -> None:
    if next(budget, None) is None:
        raise TooManyError


def _lacking(held: Rules, rule: PolicyRule, budget: Iterator[int]) -> Iterator[PolicyRule]:
    names = [(name,) for name in rule.names] if rule.names else [()]
    for group, resource in product(rule.groups or (), rule.resources or ()):
        _spend(budget)
        near = [one for one in held if among(group, one.groups or ()) and _covers(one, resource)]
        for verb in rule.verbs or ():
            _spend(budget)
            able = [one for one in near if among(verb, one.verbs or ())]
            if any(not one.names for one in able):
                continue
            having = {name for one in able for name in one.names or ()}
            for named in names:
                _spend(budget)
                if not named or named[0] not in having:
                    yield PolicyRule((verb,), (group,), (resource,), named)


def _paths_lacking(held: Rules, rule: PolicyRule, budget: Iterator[int]) -> Iterator[PolicyRule]:
    for path in rule.paths or ():
        _spend(budget)
        near = [one for one in held if any(path_covers(own, path) for own in one.paths or ())]
        for verb in rule.verbs or ():
            _spend(budget)
            if not any(among(verb, one.verbs or ()) for one in near):
                yield PolicyRule(verbs=(verb,), paths=(path,))


def _covers(rule: PolicyRule, resource: str) -> bool:
    known = rule.resources or ()
    if resource in known or "*" in known:
        return True
    _, slash, below = resource.partition("/")
    return bool(slash) and f"*/{below}" in known


def compact(pieces: Iterable[PolicyRule]) -> list[PolicyRule]:
    """Pieces that differ only by verb as one rule."""
    verbs: dict[PolicyRule, list[str]] = {}
    whole: list[PolicyRule] = []
    for piece in pieces:
        if piece.paths:
            whole.append(piece)
            continue
        bare = PolicyRule((), piece.groups, piece.resources, piece.names)
        verbs.setdefault(bare, []).extend(piece.verbs or ())
    return whole + [
        PolicyRule(tuple(found), bare.groups, bare.resources, bare.names)
        for bare, found in verbs.items()
    ]


def told(pieces: Iterable[PolicyRule]) -> str:
    """What is missing, a line for each rule."""
    return "\n".join(sorted({str(rule) for rule in compact(pieces)}))
