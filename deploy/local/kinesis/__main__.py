"""Starts the emulator: ``python -m deploy.local.kinesis``."""

from ministack import app

from deploy.local.kinesis import mend

if __name__ == "__main__":
    mend.install()
    app.main()
