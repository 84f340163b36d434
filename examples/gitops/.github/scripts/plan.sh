#!/usr/bin/env bash
# Plans TOPOLOGY, and passes its arguments on to `switchover plan`. Writes reports/plan.md for people and reports/plan.log, and the
# outputs `changes` (true or false) and, if the plan was kept as reports/plan.json, `digest`.
set -euo pipefail

mkdir -p reports
status=0
switchover plan "$TOPOLOGY" --format markdown --detailed-exitcode "$@" \
  > reports/plan.md 2> reports/plan.log || status=$?
cat reports/plan.log >&2

case $status in
  0) changes=false ;;
  4) changes=true ;;
  *) exit "$status" ;;
esac
cat reports/plan.md >> "$GITHUB_STEP_SUMMARY"
echo "changes=$changes" >> "$GITHUB_OUTPUT"
if [ -e reports/plan.json ]; then
  # The digest is the third line of the file.
  digest=$(head --lines=3 reports/plan.json | grep --only-matching 'sha256:[0-9a-f]\{64\}')
  echo "digest=$digest" >> "$GITHUB_OUTPUT"
fi
