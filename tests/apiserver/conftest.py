"""A fresh API server for each test."""

from collections.abc import AsyncGenerator

import pytest_asyncio

from tests.apiserver.kit import Api, serving


@pytest_asyncio.fixture
async def api() -> AsyncGenerator[Api, None]:
    async with serving() as running:
        yield running
