# guard.sh SECONDS PROGRAM [ARGUMENT...]: becomes the program, and ends it when standard input breaks: by SIGTERM, and so
# many seconds later by SIGKILL. The watcher is a grandchild: a program may wait for all of its children, and would wait
# for this one too.

left=$1
shift

# When this process was started: field 22 of proc_pid_stat(5), behind the name in parentheses.
look() {
  line=
  since=
  read -r line <"/proc/$$/stat" || return
  set -- ${line##*)}
  since=${20}
}

is_here() {
  look
  [ "$since" = "$then" ]
}

watch() {
  look
  then=$since
  read -r _ <&3
  is_here || return
  kill "$$"
  while [ "$left" -gt 0 ]; do
    sleep 1
    left=$((left - 1))
    is_here || return
  done
  kill -9 "$$"
}

# Behind `&` a shell gives /dev/null as standard input, hence the other number.
exec 3<&0 </dev/null
( watch & ) >/dev/null 2>&1
exec 3<&-
exec "$@"
