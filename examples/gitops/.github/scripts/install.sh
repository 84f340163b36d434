#!/usr/bin/env bash
# Fetches switchover from SWITCHOVER_URL, checks it against SWITCHOVER_SHA256, and puts it on the PATH of later steps.
set -euo pipefail

folder=$RUNNER_TEMP/bin
mkdir -p "$folder"
curl --fail --silent --show-error --location --output "$folder/switchover" \
  "${SWITCHOVER_URL:?is not set: it is a variable of the repository, see README.md}"
echo "$SWITCHOVER_SHA256  $folder/switchover" | sha256sum --check --quiet
chmod +x "$folder/switchover"
echo "$folder" >> "$GITHUB_PATH"
