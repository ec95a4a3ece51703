#!/bin/sh
# What the tests need beside the .venv: a Chromium, PostgreSQL's programs, and DICOM tools that are
# not ours to check what comes out; strace, to see and to break system calls (Debian packages).
# As root they are installed when absent; otherwise this prints the one line that would.
missing=""
chromium="${CHROMIUM:-$(command -v chromium || command -v chromium-browser || true)}"
[ -n "$chromium" ] && [ -x "$chromium" ] || missing="chromium"
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null 2>&1 \
  || missing="$missing postgresql"
command -v dcmdjpeg >/dev/null 2>&1 || missing="$missing dcmtk"
command -v dciodvfy >/dev/null 2>&1 || missing="$missing dicom3tools"
command -v strace >/dev/null 2>&1 || missing="$missing strace"
[ -z "$missing" ] && exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
  echo "The tests need:$(printf ' %s' $missing). Run once:"
  echo "  sudo apt-get update && sudo apt-get install -y --no-install-recommends" $missing
  exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq && apt-get install -y -qq --no-install-recommends $missing
