#!/usr/bin/env bash
# Looks for changes that somebody made on the servers by hand. Writes reports/drift.md and the output `drift` (true or false).
set -euo pipefail

mkdir -p reports
status=0
switchover drift "$TOPOLOGY" --format markdown > reports/drift.md || status=$?
case $status in
  0) drift=false ;;
  5) drift=true ;;
  *) exit "$status" ;;
esac
cat reports/drift.md >> "$GITHUB_STEP_SUMMARY"
echo "drift=$drift" >> "$GITHUB_OUTPUT"
