#!/usr/bin/env bash
# Keeps one comment on pull request NUMBER up to date: the plan for COMMIT, or why there is none.
#
#   comment.sh pending    the plan waits for a runner or an approval
#   comment.sh result     the plan or what went wrong: VALIDATED and PLANNED are the jobs' results, reports/ has their artifacts
#   comment.sh fork       a fork gets no plan
set -euo pipefail
shopt -s inherit_errexit

marker='<!-- switchover plan -->'
job=$GITHUB_SERVER_URL/$GITHUB_REPOSITORY/actions/runs/$GITHUB_RUN_ID/attempts/$GITHUB_RUN_ATTEMPT
limit=65536 # characters that GitHub takes
export LC_ALL=C.UTF-8

# The last lines of the log as an indented code block: no text inside can end such a block or mention anybody.
end_of_log() {
  [ -s reports/plan.log ] || return 0
  printf '\n<details open><summary>The end of the log</summary>\n\n'
  tail --lines=60 reports/plan.log | tail --bytes=20000 | iconv -c --from-code=UTF-8 --to-code=UTF-8 |
    tr --delete '\000-\010\013-\037\177' | sed 's/^/    /'
  printf '\n</details>\n'
}

no_plan() {
  printf '### No plan: %s\n\n%s\n' "$1" "$2"
}

pending() {
  no_plan 'not made yet' "It waits for a runner or for an approval: see the [job]($job). Plans of earlier commits are outdated."
}

result() {
  case $VALIDATED/$PLANNED in
    success/success)
      cat reports/plan.md
      ;;
    success/failure)
      if [ -e reports/plan.log ]; then
        no_plan 'planning failed' "What this change would do is unknown: see the log and the [job]($job)."
      else
        no_plan 'planning did not begin' "Its approval was refused, or the job failed before it: see the [job]($job)."
      fi
      end_of_log
      ;;
    failure/*)
      no_plan 'the checks failed' "There is a plan once \`switchover validate\` finds no errors: see the [job]($job)."
      if [ -s reports/findings.md ]; then
        printf '\n'
        cat reports/findings.md
      fi
      ;;
    *)
      no_plan 'the job was cancelled' "Run the [job]($job) again."
      ;;
  esac
}

fork() {
  no_plan 'the change comes from a fork' \
    'A plan needs secrets and runs next to the servers, so a fork gets none. Someone with write access can review the change and push it to a branch of this repository.'
}

footer=$(
  printf '\nCommit %s, merged into its target branch · %s · [job](%s)\n' \
    "$COMMIT" "$(date --utc '+%Y-%m-%d %H:%M UTC')" "$job"
)

mkdir -p reports
comment() { printf '%s\n' "$marker" "$1" "$footer" > reports/comment.md; }
case $1 in
  pending | result | fork) text=$("$1") ;;
  *) exit 2 ;;
esac
comment "$text"
if [ "$(wc --chars < reports/comment.md)" -gt "$limit" ]; then
  # Half a plan could end inside a block, and would look complete.
  comment "$(no_plan 'too long for a comment' "The summary of the [job]($job) shows it.")"
fi

mine=".[] | select(.user.login == \"github-actions[bot]\" and (.body | startswith(\"$marker\"))) | .id"
ids=$(gh api --paginate "repos/$GITHUB_REPOSITORY/issues/$NUMBER/comments?per_page=100" --jq "$mine")
id=$(head --lines=1 <<< "$ids")
if [ -n "$id" ]; then
  gh api --silent --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$id" --field body=@reports/comment.md
else
  gh api --silent --method POST "repos/$GITHUB_REPOSITORY/issues/$NUMBER/comments" --field body=@reports/comment.md
fi
