#!/usr/bin/env bash
# Before there is a virtual environment: is what we cannot install ourselves there?
# Says for each missing thing the exact command that installs it. Redis is installed if we may.
set -u
missing=0
need() { # command, purpose, Debian package
  command -v "$1" >/dev/null 2>&1 && return
  echo "$1 (for $2) is not installed; run: sudo apt-get install -y $3" >&2
  missing=1
}

version=$("${PYTHON:-python3}" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
case "$version" in
  3.11 | 3.12) ;;
  *)
    echo "Python 3.11 or 3.12 is needed (found: ${version:-none}); run: sudo apt-get install -y python3.11 python3.11-venv, or give one with make PYTHON=/path/to/python3.11" >&2
    missing=1
    ;;
esac
need java "Flink" openjdk-17-jdk-headless
need javac "the Flink jar" openjdk-17-jdk-headless
need mvn "the Flink jar" maven

if ! command -v redis-server >/dev/null 2>&1; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing redis-server (for the online store) ..."
    log=$(mktemp)
    # RUNLEVEL=1 keeps the package from starting a server of its own.
    if ! { apt-get update -qq && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive \
      apt-get install -y -qq redis-server; } >"$log" 2>&1; then
      cat "$log" >&2
      missing=1
    fi
    rm -f "$log"
  fi
  need redis-server "the online store" redis-server
fi
exit "$missing"
