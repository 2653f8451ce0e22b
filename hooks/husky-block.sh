if command -v git-tracevault >/dev/null 2>&1; then
  git-tracevault hook @HOOK@ "$@"
elif [ -e "$(git rev-parse --git-common-dir)/tracevault/enrolled" ]; then
  echo "git-tracevault: the program is not there, so the @HOOK@ hook records nothing" >&2
fi
