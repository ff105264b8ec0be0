"""Every library, by tables of expressions and what they come to."""

from typing import Any

import pytest

from argosy.api.cel.values import CelError
from tests.api.cel.kit import value

LISTS: list[tuple[str, Any]] = [
    ("[1, 2, 2].isSorted()", True),
    ("['b', 'a'].isSorted()", False),
    ("[1, 2, 3].sum()", 6),
    ("[1.5, 2.5].sum()", 4.0),
    ("[duration('1m'), duration('30s')].sum() == duration('90s')", True),
    ("[3, 1, 2].min()", 1),
    ("['x', 'z', 'y'].max()", "z"),
    ("[1, 2, 1].indexOf(1)", 0),
    ("[1, 2, 1].lastIndexOf(1)", 2),
    ("['a'].indexOf('q')", -1),
    ("[1, 2].includes(2)", True),
    ("[[1], [2, 3]].flatten()", [1, 2, 3]),
    ("lists.range(3)", [0, 1, 2]),
    ("[1, 2, 3].slice(1, 3)", [2, 3]),
    ("[1, 1, 2].distinct()", [1, 2]),
    ("[1, 2].reverse()", [2, 1]),
    ("[3, 1, 2].sort()", [1, 2, 3]),
    ("['aaa', 'b'].sortBy(s, s.size())", ["b", "aaa"]),
    ("sets.contains([1, 2, 3], [2])", True),
    ("sets.equivalent([1, 1], [1])", True),
    ("sets.intersects([1], [2])", False),
]
STRINGS: list[tuple[str, Any]] = [
    ("'hello'.charAt(4)", "o"),
    ("'hello'.indexOf('l')", 2),
    ("'hello'.indexOf('l', 3)", 3),
    ("'hello'.lastIndexOf('l')", 3),
    ("'TacoCat'.lowerAscii()", "tacocat"),
    ("'Ä-a'.upperAscii()", "Ä-A"),
    ("'a-b-c'.replace('-', '+', 1)", "a+b-c"),
    ("'a-b'.replace('', '.')", ".a.-.b."),
    ("'a,b,c'.split(',', 2)", ["a", "b,c"]),
    ("'abc'.split('')", ["a", "b", "c"]),
    ("'tacocat'.substring(1, 3)", "ac"),
    ("'  x '.trim()", "x"),
    ("['a', 'b'].join('-')", "a-b"),
    ("'%s is %d, %.2f, %x, %b, %%'.format(['n', 3, 1.5, 255, 5])", "n is 3, 1.50, ff, 101, %"),
    ("'%s %s'.format([[1, 2], {'k': true}])", "[1, 2] {k: true}"),
    ("strings.quote('a\"b\\n')", '"a\\"b\\n"'),
    ("'abc 123 4'.find('[0-9]+')", "123"),
    ("'abc'.find('[0-9]+')", ""),
    ("'1 23 4'.findAll('([0-9])+', 2)", ["1", "23"]),
    ("'foobar'.matches('o+b')", True),
]
NET: list[tuple[str, Any]] = [
    ("ip('10.0.0.1').family()", 4),
    ("ip('::1').isLoopback()", True),
    ("isIP('10.0.0.256')", False),
    ("isIP('::ffff:1.2.3.4')", False),
    ("isIP('fe80::1%eth0')", False),
    ("ip.isCanonical('2001:DB8::1')", False),
    ("string(ip('2001:DB8::1'))", "2001:db8::1"),
    ("ip('224.0.0.1').isLinkLocalMulticast()", True),
    ("ip('169.254.1.1').isLinkLocalUnicast()", True),
    ("ip('10.0.0.1').isGlobalUnicast()", True),
    ("ip('0.0.0.0').isUnspecified()", True),
    ("cidr('10.1.2.3/8').masked() == cidr('10.0.0.0/8')", True),
    ("string(cidr('10.1.2.3/8').ip())", "10.1.2.3"),
    ("cidr('10.0.0.0/8').containsIP('10.9.9.9')", True),
    ("cidr('10.0.0.0/8').containsIP(ip('11.0.0.1'))", False),
    ("cidr('10.0.0.0/8').containsCIDR('10.1.0.0/16')", True),
    ("cidr('10.0.0.0/8').containsCIDR(cidr('0.0.0.0/0'))", False),
    ("cidr('::/56').prefixLength()", 56),
    ("isCIDR('10.0.0.0/33')", False),
    ("url('https://u@example.com:80/a%20b?k=1&k=2#f').getHost()", "example.com:80"),
    ("url('https://[::1]:80/').getHostname()", "::1"),
    ("url('https://example.com:80/').getPort()", "80"),
    ("url('/path').getScheme()", ""),
    ("url('https://example.com/a b'.replace(' ', '%20')).getEscapedPath()", "/a%20b"),
    ("url('https://example.com/?k=1&k=2').getQuery()", {"k": ["1", "2"]}),
    ("isURL('../relative')", False),
    ("isURL('https://a:b:c')", False),
]
KINDS: list[tuple[str, Any]] = [
    ("quantity('1.5Gi') == quantity('1536Mi')", True),
    ("isQuantity('1.3Gx')", False),
    ("quantity('50k').asInteger()", 50_000),
    ("quantity('50m').isInteger()", False),
    ("quantity('50m').asApproximateFloat()", 0.05),
    ("quantity('-3').sign()", -1),
    ("quantity('1').add(quantity('500m')).isGreaterThan(quantity('1'))", True),
    ("quantity('1k').sub(1).asInteger()", 999),
    ("quantity('200M').compareTo(quantity('0.2G'))", 0),
    ("semver('1.2.3').major() + semver('1.2.3').minor() + semver('1.2.3').patch()", 6),
    ("semver('1.0.0-rc.1').isLessThan(semver('1.0.0'))", True),
    ("semver('1.0.0-rc.10').compareTo(semver('1.0.0-rc.9'))", 1),
    ("semver('1.0.0+b') == semver('1.0.0')", True),
    ("isSemver('v1.0')", False),
    ("isSemver('v1.0', true)", True),
    ("format.dns1123Label().validate('my-name').hasValue()", False),
    ("format.dns1123Label().validate('my.name').value()", ["must not contain dots"]),
    ("format.dns1123LabelPrefix().validate('my-').hasValue()", False),
    ("format.named('qualifiedName').value().validate('a/b/c').hasValue()", True),
    ("format.named('nothing').hasValue()", False),
    ("format.uuid().validate('f47ac10b-58cc-4372-a567-0e02b2c3d479').hasValue()", False),
    ("format.byte().validate('!').value()", ["invalid base64"]),
    ("format.date().validate('2024-02-30').value()", ["invalid date"]),
    ("format.datetime().validate('2024-02-03T04:05:06Z').hasValue()", False),
]
LANGUAGE: list[tuple[str, Any]] = [
    ("7 / -2", -3),
    ("-7 % 3", -1),
    ("1.0 / 0.0 > 1e300", True),
    ("1 < 1.5 && 2u > 1", True),
    ("dyn(1) == dyn(1.0)", True),
    ("dyn(1) == dyn(true)", False),
    ("dyn(1) in [1.0]", True),
    ("'k' in {'k': 1}", True),
    ("1 / 0 == 1 || true", True),
    ("false && 1 / 0 == 1", False),
    ("[0, 1].exists(i, 1 / i == 1)", True),
    ("[0, 1].all(i, 1 / i == 2)", False),
    ("[1, 2, 2].exists_one(i, i == 2)", False),
    ("[1, 2].existsOne(i, v, v == 2 && i == 1)", True),
    ("[5, 6].all(i, v, v == i + 5)", True),
    ("{'a': 1}.exists(k, v, k == 'a' && v == 1)", True),
    ("[5, 6].transformList(i, v, i > 0, v)", [6]),
    ("{'a': 1}.transformMap(k, v, v + 1)", {"a": 2}),
    ("{'a': 1}.transformMapEntry(k, v, {string(v): k})", {"1": "a"}),
    ("[1, 2, 3].filter(i, i > 1).map(i, i * 2)", [4, 6]),
    ("[1, 2, 3].map(i, i > 1, i * 2)", [4, 6]),
    ("cel.bind(a, 2, a * a)", 4),
    ("x.?missing.orValue('none')", "none"),
    ("x.?name.optMap(n, n + '!').value()", "web!"),
    ("[?x.?missing, ?x.?name]", ["web"]),
    ("{?'n': x.?name}", {"n": "web"}),
    ("x.list[?7].hasValue()", False),
    ("optional.ofNonZeroValue('').or(optional.of('d')).value()", "d"),
    ("has(x.missing)", False),
    ("type(1) == int && type(x) == map", True),
    ("int('42') + int(2.9) + int(timestamp('1970-01-01T00:01:00Z'))", 104),
    ("string(1.0) + string(true) + string(duration('90s'))", "1true90s"),
    ("double('1e3')", 1000.0),
    ("string(1e21) + ' ' + string(1e-7) + ' ' + string(1.25)", f"1{'0' * 21} 0.0000001 1.25"),
    (
        "string(duration('1.5s')) + string(timestamp('2024-01-01T00:00:00.5Z'))",
        "1.5s2024-01-01T00:00:00.5Z",
    ),
    ("duration('1.5s').getMilliseconds() + int(duration('1ns'))", 1501),
    ("timestamp('2024-02-29T12:00:00Z').getFullYear('+01:00')", 2024),
    (
        "timestamp('2024-03-01T00:00:00Z') - timestamp('2024-02-29T00:00:00Z') == duration('24h')",
        True,
    ),
    ("duration('1h30m').getMinutes()", 90),
    ("size('äöü') + size([1]) + size({'a': 1})", 5),
    ("b'abc' + b'd' == b'abcd'", True),
    ("x.list == [1, 2]", True),
    ("[1, 2].first().value() + [1, 2].last().value()", 3),
    ("optional.unwrap([optional.of(1), optional.none()])", [1]),
]


@pytest.mark.parametrize(("expression", "expected"), LISTS + STRINGS + NET + KINDS + LANGUAGE)
def test_value(expression: str, expected: Any) -> None:
    found = value(expression, x={"name": "web", "list": [1, 2]})
    assert found == expected
    assert type(found) is type(expected)


ERRORS: list[tuple[str, str]] = [
    ("[].max() == 1", "max called on empty list"),
    ("x.missing", "no such key: missing"),
    ("[1][3]", "index out of bounds: 3"),
    ("1 / 0", "division by zero"),
    ("9223372036854775807 + 1", "integer overflow"),
    ("x + 1", "no such overload"),
    ("x < 'a'", "no such overload"),
    ("int('1x')", "strconv: parsing '1x' as int: invalid syntax"),
    ("quantity('10 Mo')", "quantities must match the regular expression"),
    ("quantity('1m').asInteger()", "cannot convert value to integer"),
    ("semver('1.0')", "Invalid semantic version: '1.0'"),
    ("ip('::ffff:1.2.3.4')", 'IPv4-mapped IPv6 address "::ffff:1.2.3.4" is not allowed'),
    ("cidr('10.0.0.0')", "network address parse error during conversion from string"),
    ("url('no')", "URL parse error during conversion from string"),
    ("optional.none().value()", "optional.none() dereference"),
    ("'abc'.substring(2, 1)", "invalid substring range. start: 2, end: 1"),
    ("'a'.matches(y)", "error parsing regexp: missing ): ("),
    ("'%d'.format(['a'])", "error during formatting"),
    ("{'a': 1, 'a': 2}", "Failed with repeated key: a"),
    ("y", "no such attribute(s): y"),
    ("{x: 1}", "no such overload"),
    ("duration(x.long)", "time: invalid duration"),
]


@pytest.mark.parametrize(("expression", "message"), ERRORS)
def test_error(expression: str, message: str) -> None:
    variables = {"x": {"list": [1], "long": "1h" * 100_000}} | (
        {"y": "("} if "matches" in expression else {}
    )
    with pytest.raises(CelError) as caught:
        value(expression, **variables)
    assert str(caught.value).startswith(message)
