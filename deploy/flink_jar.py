"""The uber-jar, and the Maven profile that it was built with."""

import zipfile
from pathlib import Path

from deploy.archives import PackageError

ADAPTER, OFFICIAL = "adapter", "official"
PROFILES = (ADAPTER, OFFICIAL)

_ADAPTER_CLASS = "roadside/flink/PacedKinesisSource.class"
_CONNECTOR_CLASS = "org/apache/flink/connector/kinesis/source/KinesisStreamsSource.class"


def check_profile(jar: Path, profile: str) -> None:
    """Check that a jar is there and was built with a profile.

    Raises:
        PackageError: It is missing, no jar, without a connector or of the other profile.
    """
    remedy = f"build it with `mvn -f flink_jobs/pom.xml -P {profile} clean package`"
    try:
        with zipfile.ZipFile(jar) as archive:
            names = frozenset(archive.namelist())
    except FileNotFoundError as error:
        raise PackageError(f"{jar} is missing; {remedy}") from error
    except (zipfile.BadZipFile, OSError) as error:
        raise PackageError(f"{jar} cannot be read as a jar ({error}); {remedy}") from error
    if _CONNECTOR_CLASS not in names:
        raise PackageError(f"{jar} has no Kinesis connector; {remedy}")
    # The job takes the adapter's source if it is there, though an earlier build left it behind.
    built = ADAPTER if _ADAPTER_CLASS in names else OFFICIAL
    if built != profile:
        raise PackageError(f"{jar} was built with profile {built!r}, not {profile!r}; {remedy}")
