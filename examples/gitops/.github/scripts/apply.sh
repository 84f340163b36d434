#!/usr/bin/env bash
# Applies reports/plan.json if it has this DIGEST and one of ALLOWED_SIGNERS signed it. Writes reports/result.json, says
# what to do if it fails, and exits with switchover's exit code.
set -euo pipefail

printf '%s\n' "$ALLOWED_SIGNERS" > "$RUNNER_TEMP/allowed-signers"
options=(--yes --digest "$DIGEST" --allowed-signers "$RUNNER_TEMP/allowed-signers" --format json)
if [ "$ALLOW_LARGE_CHANGE" = true ]; then options+=(--allow-large-change); fi
if [ "$ALLOW_REJECTED" = true ]; then options+=(--allow-rejected); fi

# GitHub signals this shell alone when the job is cancelled, and kills everything ten seconds later. Passed on, the signal
# makes switchover undo what it did. Without `set -m`, a program in the background starts with SIGINT ignored.
set -m
switchover apply reports/plan.json "${options[@]}" > reports/result.json &
run=$!
interrupted=
trap 'interrupted=yes; kill -INT "$run" || true' INT TERM
while true; do
  status=0
  wait "$run" || status=$?
  if [ -z "$interrupted" ]; then break; fi
  interrupted=
done

case $status in
  0)
    title='Applied'
    advice='The artifact switchover-result says what was done.'
    ;;
  1)
    title='Failed, nothing was changed (exit code 1)'
    advice='The log says why. Once that is put right, use "Re-run all jobs".'
    ;;
  6)
    title='Rolled back (exit code 6)'
    advice='Everything is as it was; the log says what failed. If the run was cancelled or a connection broke, use "Re-run all jobs". Otherwise put it right, in the topology or at the server. If the topology stays the same, run this workflow by hand with allow-rejected: what a server or a check refused once is not tried again by itself.'
    ;;
  7)
    title='Partly applied (exit code 7): act now'
    advice='Some of it is in force. On a machine that reaches the servers, with the secrets of this job, run "switchover recover": it shows how far each target came, and undoes the rest (--back) or finishes it (--forward). Nothing else is applied before.'
    ;;
  8)
    title='Somebody else is changing the site (exit code 8)'
    advice='Nothing was changed; the log says who it is. When they are done, use "Re-run all jobs".'
    ;;
  9)
    title='Refused (exit code 9)'
    advice='Nothing was changed; the log says why. If something moved since the plan was made, or it is older than a day: "Re-run all jobs" makes a new plan and asks for a new approval. If the change is too large or was rolled back before: run this workflow by hand with allow-large-change or allow-rejected. If it is not the plan that was approved, or the signature is wrong: find out who replaced it.'
    ;;
  *)
    title="Ended with exit code $status"
    advice='The log says why. If it was killed, run "switchover recover" on a machine that reaches the servers, with the secrets of this job.'
    ;;
esac
printf '### %s\n\n%s\n' "$title" "$advice" >> "$GITHUB_STEP_SUMMARY"
if [ "$status" -ne 0 ]; then printf '::error title=%s::%s\n' "$title" "$advice"; fi
exit "$status"
