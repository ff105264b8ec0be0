"""Which files belong to the project: those that git tracks or would."""

import subprocess
from pathlib import Path


def project_files(root: Path, suffix: str) -> list[Path]:
    """Tracked and untracked files that no `.gitignore` names, relative to `root`."""
    listing = subprocess.run(
        ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", f"*{suffix}"),
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    # A file deleted but not yet committed is still listed.
    return [Path(name) for name in sorted(set(listing.split("\0"))) if (root / name).is_file()]
