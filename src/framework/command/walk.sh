# Names every file under the given folders, each ended by a zero byte, and needs nothing but a shell. Folders that hold
# tools and not tests are left out, and so are links to folders, which may lead round in a circle. Where NOT_BEFORE is a
# file, those that were last changed before it are left out, too.
name() {
  if [ -z "$NOT_BEFORE" ] || ! [ "$NOT_BEFORE" -nt "$1" ]; then printf '%s\0' "$1"; fi
}
walk() {
  for entry in "$1"/* "$1"/.[!.]*; do
    if [ -f "$entry" ]; then
      name "$entry"
    elif [ -d "$entry" ] && [ ! -L "$entry" ]; then
      case "$entry" in */node_modules | */.git) ;; *) walk "$entry" ;; esac
    fi
  done
}
for folder in "$@"; do
  if [ -d "$folder" ]; then walk "$folder"; elif [ -f "$folder" ]; then name "$folder"; fi
done
