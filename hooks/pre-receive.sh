#!/bin/sh
# Put here by git-tracevault; `git tracevault init --server --uninstall` takes it out.
# A hook that stood here before is beside this file as @HOOK@.before-tracevault. It runs first, and may refuse.
program=@PROGRAM@
before=$0.before-tracevault

# Both hooks are told on standard input what is pushed.
input=$(cat && echo .) && input=${input%.} || exit 1
if [ -x "$before" ]; then
  printf %s "$input" | "$before" "$@" || exit $?
fi
if ! [ -x "$program" ]; then
  program=$(command -v git-tracevault) || {
    echo "git-tracevault: the program is not there, so nothing can be let in; tell whoever runs this server" >&2
    exit 1
  }
fi
printf %s "$input" | "$program" receive
