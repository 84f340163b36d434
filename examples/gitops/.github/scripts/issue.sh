#!/usr/bin/env bash
# Keeps one issue open while there is drift (DRIFT is true or false), and closes it afterwards.
set -euo pipefail

marker='<!-- switchover drift -->'
job=$GITHUB_SERVER_URL/$GITHUB_REPOSITORY/actions/runs/$GITHUB_RUN_ID/attempts/$GITHUB_RUN_ATTEMPT
limit=65536 # characters that GitHub takes
export LC_ALL=C.UTF-8

issues=repos/$GITHUB_REPOSITORY/issues
mine=".[] | select(.user.login == \"github-actions[bot]\" and (.body // \"\" | startswith(\"$marker\"))) | .number"
numbers=$(gh api --paginate "$issues?state=open&per_page=100" --jq "$mine")
number=$(head --lines=1 <<< "$numbers")

if [ "$DRIFT" = false ]; then
  if [ -n "$number" ]; then
    gh api --silent --method PATCH "$issues/$number" --field state=closed
  fi
  exit 0
fi

issue() {
  printf '%s\n' "$marker" "$1" > reports/issue.md
  printf '\nCommit %s · %s · [job](%s)\n' "$GITHUB_SHA" "$(date --utc '+%Y-%m-%d %H:%M UTC')" "$job" >> reports/issue.md
}
issue "$(cat reports/drift.md)"
if [ "$(wc --chars < reports/issue.md)" -gt "$limit" ]; then
  issue "The list is too long for an issue: the summary of the [job]($job) shows it."
fi
if [ -n "$number" ]; then
  gh api --silent --method PATCH "$issues/$number" --field body=@reports/issue.md
else
  gh api --silent --method POST "$issues" --raw-field 'title=Servers are not as switchover left them' \
    --field body=@reports/issue.md
fi
