"""What the tests of clients share."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from argosy.http.tls import Certificates, ensure_certificates


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    folder: Path = tmp_path_factory.mktemp("pki")
    return ensure_certificates(folder, ["127.0.0.1"], datetime.now(UTC))
