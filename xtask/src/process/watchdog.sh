# Reads what to clean up, one order a line, from a pipe whose other end only the supervised process holds. When that
# process ends, however it ends, the pipe does too: then this ends the process groups that are left and removes the
# temporary directories that are left.
#
#   group SIGNAL ID    stop this process group with this signal
#   gone ID            it has been stopped
#   directory PATH     remove this directory
#   removed PATH       it has been removed
set -f
trap '' INT TERM HUP QUIT
newline='
'
IFS=$newline
groups=
directories=

while read -r order; do
    what=${order#* }
    case $order in
        'group '*) groups="$groups$newline$what" ;;
        'directory '*) directories="$directories$newline$what" ;;
        'gone '*)
            kept=
            for group in $groups; do
                [ "${group#* }" = "$what" ] || kept="$kept$newline$group"
            done
            groups=$kept
            ;;
        'removed '*)
            kept=
            for directory in $directories; do
                [ "$directory" = "$what" ] || kept="$kept$newline$directory"
            done
            directories=$kept
            ;;
    esac
done

# Newest first: what was started last depends on what was started first.
reversed=
for group in $groups; do reversed="$group$newline$reversed"; done
for group in $reversed; do
    kill -s "${group% *}" -- "-${group#* }"
done
for group in $reversed; do
    tries=0
    while kill -s 0 -- "-${group#* }" && [ "$tries" -lt 50 ]; do
        sleep 0.1
        tries=$((tries + 1))
    done
    kill -s KILL -- "-${group#* }"
done
for directory in $directories; do
    rm -rf -- "$directory"
done
