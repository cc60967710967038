#!/bin/sh
# guard.sh FOLDER COMMAND…: runs the command in this process group. When standard input closes, that is when whoever
# started the guard is gone, even by kill -9, it ends the group and removes FOLDER (unless empty). A TERM to the guard
# goes on to the command.
folder=$1
shift
exec 3<&0
"$@" </dev/null 3<&- &
command=$!
(
  trap '' TERM INT HUP
  read -r _ <&3
  kill -USR1 "$$"
  kill -TERM "$command"
  sleep 10
  kill -KILL -- "-$$"
) </dev/null >/dev/null 2>&1 &
watcher=$!
exec 3<&-
orphaned=
trap 'orphaned=yes' USR1
trap 'kill -TERM "$command" 2>/dev/null' TERM INT HUP
wait "$command"
status=$?
# A signal to the guard ends `wait` early; the command may still be stopping.
while kill -0 "$command" 2>/dev/null; do
  wait "$command"
  status=$?
done
if [ -n "$orphaned" ] && [ -n "$folder" ]; then rm -rf "$folder"; fi
kill -KILL "$watcher" 2>/dev/null
exit "$status"
