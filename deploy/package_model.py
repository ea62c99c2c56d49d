"""Packs a model bundle's directory as the ``model.tar.gz`` that SageMaker unpacks.

    python -m deploy.package_model --bundle DIR --out dist/model.tar.gz

The same bundle gives the same bytes, so the archive's digest is the bundle's.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from deploy.archives import PackageError, sha256, write_tar_gz

MANIFEST = "bundle.json"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the archive; return the exit code."""
    options = _parse(arguments)
    try:
        version = package(options.bundle, options.out)
    except PackageError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    sys.stdout.write(f"{options.out}: bundle {version}, sha256 {sha256(options.out)}\n")
    return 0


def package(bundle: Path, out: Path) -> str:
    """Write the archive of a bundle and return the bundle's version.

    Raises:
        PackageError: There is no bundle, or its manifest is broken or names a missing file.
    """
    try:
        manifest = json.loads((bundle / MANIFEST).read_bytes())
        version, models = str(manifest["version"]), dict(manifest["models"])
    except FileNotFoundError as error:
        raise PackageError(
            f"no model bundle at {bundle}: {MANIFEST} is missing; train one first"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise PackageError(
            f"{bundle / MANIFEST} is not a bundle's manifest ({error}); train the bundle again"
        ) from error
    for role, name in models.items():
        if not (bundle / name).is_file():
            raise PackageError(
                f"{bundle}: models.{role} names {name!r}, which is not there; copy it all again"
            )
    # SageMaker unpacks into /opt/ml/model, so the bundle's files stand at the top.
    files = [path for path in bundle.rglob("*") if path.is_file()]
    write_tar_gz(out, {path.relative_to(bundle).as_posix(): path for path in files})
    return version


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.package_model",
        description="Pack a model bundle as SageMaker's model.tar.gz.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--bundle", type=Path, required=True, help="the bundle's directory")
    parser.add_argument("--out", type=Path, default=Path("dist/model.tar.gz"), help="the archive")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
