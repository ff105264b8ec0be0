"""Load from another process by `wrk`, and what it reports."""

import asyncio
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

LONGEST = 600.0
SHAPES = 100
UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3}


@dataclass(frozen=True, slots=True)
class Load:
    """Requests per second, and latencies in milliseconds."""

    rate: float
    p50: float
    p99: float
    errors: int


class LoadError(Exception):
    """wrk is not here, or it failed."""


def script(token: str, method: str, path: str, body: Path | None, run: str) -> str:
    """A wrk script: one request again and again; `NAME` in a body is another name each time."""
    text = "" if body is None else body.read_text().strip()
    return f"""
local n = 0
local text = [==[{text}]==]
local headers = {{["Authorization"] = "Bearer {token}", ["Content-Type"] = "application/json",
                  ["Accept"] = "application/json"}}
function request()
  n = n + 1
  local body = text ~= "" and text:gsub("NAME", "{run}-" .. n) or nil
  return wrk.format("{method}", "{path}", headers, body)
end
"""


def counted(token: str, path: str, body: str, count: int, unique: str, numbers: int) -> str:
    """A wrk script: so many requests that create, then it ends; `unique` in a body is a number
    from 1 to `numbers`, in turn.

    wrk asks for one request that it never sends: the first.
    """
    return f"""
local n, done, refused = -1, 0, 0
local text = [==[{body}]==]
local headers = {{["Authorization"] = "Bearer {token}", ["Content-Type"] = "application/json",
                  ["Accept"] = "application/json"}}
function request()
  n = n + 1
  if n < 1 or n > {count} then return wrk.format("GET", "/version", headers) end
  return wrk.format("POST", "{path}", headers, (text:gsub("{unique}", n % {numbers} + 1)))
end
function response(status)
  if status ~= 200 then done = done + 1 end
  if status >= 300 then refused = refused + 1 end
  if done >= {count} then
    io.stdout:write(refused)
    io.stdout:flush()
    os.exit(0)
  end
end
"""


async def many(
    url: str,
    path: str,
    token: str,
    body: str,
    *,
    count: int,
    connections: int,
    unique: str,
    numbers: int = SHAPES,
) -> None:
    """Create `count` objects of one body. Raises LoadError where one was refused."""
    lua = counted(token, path, body, count, unique, numbers)
    output = await _run(url, lua, connections=connections, seconds=LONGEST)
    refused = output.rpartition("\n")[2]
    if refused != "0":
        raise LoadError(f"of {count} requests to {path} were refused: {refused}")


async def wrk(
    url: str, lua: str, *, connections: int, seconds: float, elsewhere: bool = False
) -> Load:
    """Run wrk with one thread. Raises LoadError.

    `elsewhere`: as if on a machine of its own, it takes no processor that anybody else wants.
    """
    before = ("chrt", "--idle", "0") if elsewhere else ()
    return _read(await _run(url, lua, *before, connections=connections, seconds=seconds))


async def _run(url: str, lua: str, *before: str, connections: int, seconds: float) -> str:
    program = shutil.which("wrk")
    if program is None:
        raise LoadError("wrk is not installed (Debian: apt install wrk)")
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(lua)
        file.flush()
        process = await asyncio.create_subprocess_exec(
            *(
                *before,
                program,
                "-t1",
                f"-c{connections}",
                f"-d{max(1, round(seconds))}s",
                "--latency",
                "-s",
                file.name,
                url,
            ),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
    return output.decode()


def _read(text: str) -> Load:
    rate = re.search(r"Requests/sec:\s+([\d.]+)", text)
    if rate is None:
        raise LoadError(text)
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    return Load(
        rate=float(rate[1]),
        p50=_percentile(text, 50),
        p99=_percentile(text, 99),
        errors=int(bad[1]) if bad else 0,
    )


def _percentile(text: str, percent: int) -> float:
    found = re.search(rf"\s{percent}%\s+([\d.]+)(us|ms|s)", text)
    return float(found[1]) * UNITS[found[2]] if found else 0.0
