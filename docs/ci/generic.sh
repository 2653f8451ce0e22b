#!/bin/sh
# Verifies and checks what came, on any CI server (Jenkins, Buildkite, Bitbucket, Azure and others): git and git-tracevault are
# on the PATH, the checkout is the working directory, TRACEVAULT_LEDGER is the ledger's id and comes from outside the checkout.
# TRACEVAULT_RANGE names the commits where the server's own variables do not tell. Arguments go on to `git tracevault ci`.
set -eu
: "${TRACEVAULT_LEDGER:?say which ledger to trust: git tracevault verify, in a clone that you trust, says its id}"

range=${TRACEVAULT_RANGE:-}
if [ -z "$range" ]; then
  # The branch that a change is to go to: Jenkins, Buildkite, Bitbucket, Azure.
  target=${CHANGE_TARGET:-${BUILDKITE_PULL_REQUEST_BASE_BRANCH:-${BITBUCKET_PR_DESTINATION_BRANCH:-${SYSTEM_PULLREQUEST_TARGETBRANCH:-}}}}
  target=${target#refs/heads/}
  # What was built last: Jenkins.
  last=${GIT_PREVIOUS_SUCCESSFUL_COMMIT:-}
  if [ -n "$target" ]; then
    git fetch --quiet --no-tags origin "+refs/heads/$target:refs/remotes/origin/$target"
    range=refs/remotes/origin/$target..HEAD
  elif [ -n "$last" ] && git merge-base --is-ancestor "$last" HEAD 2>/dev/null; then
    range=$last..HEAD
  else
    # All since the ledger's file came.
    [ "$(git rev-parse --is-shallow-repository)" = false ] || git fetch --quiet --unshallow origin
    first=$(git log --topo-order --reverse --diff-filter=A --format=%H HEAD -- .tracevault/config.toml | head -n 1)
    [ -n "$first" ] || { echo "there is no .tracevault/config.toml: git tracevault init, and commit it" >&2; exit 2; }
    range=$first..HEAD
  fi
fi
exec git-tracevault ci --ledger="$TRACEVAULT_LEDGER" --range="$range" "$@"
