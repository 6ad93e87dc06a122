#!/bin/bash
# What zumastor does, on two hosts with kernels of their own: `make demo` runs this in the lab.
set -euo pipefail
there=(ssh host2)

bold='' plain=''
[[ ! -t 1 ]] || bold=$'\e[1m' plain=$'\e[0m'
title() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
show() { printf '$ %s\n' "$*"; "$@"; }
tree_hash() { (cd "$1" && find . -type f -not -path './lost+found*' -print0 | sort -z | xargs -0 sha256sum | sha256sum | cut -c1-16); }

title 'A disk with a filesystem and files on it becomes a volume, as it is'
mkfs.ext4 -q "$DEV1NAME"
mkdir -p /mnt/before
mount "$DEV1NAME" /mnt/before
cp -r /usr/share/doc/b* /mnt/before
umount /mnt/before
show zumastor define volume home "$DEV1NAME" "$DEV2NAME"
show zumastor define master home --hourly 3 --daily 2
files=/var/run/zumastor/volumes/home
find "$files" -type f | wc -l | sed 's/$/ files are on it/'

title 'Snapshots, rotated: three hourly ones are kept'
for n in 1 2 3 4 5; do
	date >"$files/written-$n"
	show zumastor snapshot home hourly
done
show zumastor list home
show ls -l --time-style=+ "$files-snapshots"

title 'A file is deleted, and is still in the snapshot'
rm "$files/written-5"
show cat "$files-snapshots/hourly.0/written-5"

title 'Another host gets a replica: everything the first time'
"${there[@]}" zumastor define volume home "$DEV1NAME" "$DEV2NAME" --yes
"${there[@]}" zumastor define source home host1 --yes
show zumastor define target home host2
show zumastor snapshot home hourly
show zumastor replicate home host2

title 'Then only what changed'
for n in 1 2 3; do
	dd if=/dev/urandom of="$files/changed-$n" bs=100K count=1 status=none
	zumastor snapshot home hourly >/dev/null
	show zumastor replicate home host2
done
here=$(tree_hash "$files-snapshots/hourly.0")
other=$("${there[@]}" "$(declare -f tree_hash); tree_hash $files")
printf 'tree here  %s\ntree there %s\n' "$here" "$other"
[[ $here == "$other" ]]

title 'The link is cut in the middle; the next replication goes on there'
dd if=/dev/urandom of="$files/big" bs=1M count=8 status=none
show zumastor snapshot home hourly
show zumastor define target home host2 --rate 1M
printf '$ zumastor replicate home host2\n'
zumastor replicate home host2 &
sleep 5
show lab cut 1 2
kill $!
wait $! || true
show lab restore 1 2
until "${there[@]}" '! pgrep -f [z]umastor-receive-stream' >/dev/null; do sleep 0.5; done
show zumastor replicate home host2
[[ $(tree_hash "$files-snapshots/hourly.0") == "$("${there[@]}" "$(declare -f tree_hash); tree_hash $files")" ]]

title 'The replica cannot be written'
show "${there[@]}" "touch $files/x" || true

title 'Everything is overwritten; a revert brings it back at once, and can itself be undone'
before=$(tree_hash "$files-snapshots/hourly.0")
find "$files" -type f -exec truncate -s 100 {} +
show zumastor revert home hourly.0
printf 'tree in the snapshot %s\ntree of the volume   %s\n' "$before" "$(tree_hash "$files")"
[[ $(tree_hash "$files") == "$before" ]]
show zumastor revert home --continue --wait
show zumastor list home

title 'The status of both'
show zumastor status
show "${there[@]}" zumastor status

title 'Stopped, nothing is left; started, all is there again'
show zumastor stop
show dmsetup ls
show zumastor start
show zumastor list home
