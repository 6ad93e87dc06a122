#!/bin/bash
# lab: --disk 64M --disk 128M --timeout 600
# zumastor revert: files as they were, mounted where they were, undone again; through stop, kill and restart of the host.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cli.sh"
files=/run/zumastor/volumes/home

tree() {
	(cd "${1:-$files}" && find . -type f -not -path './lost+found*' -exec sha256sum {} + | sort | sha256sum | cut -c1-32)
}

if ((LAB_BOOT == 2)); then
	tap_count=$(</persist/count)
	expect 0 'start after the crash' z start volume home
	is "$(tree)" "$(</persist/tree)" 'the volume is still back where it was, with what was written since'
	expect 0 'it goes on to the end' z revert home --continue --wait
	is "$(tree)" "$(</persist/tree)" 'with the same files'
	like "$(z status home)" 'state +running' 'and that is it'
	for snap in hourly.1 hourly.0 undo.0; do
		is "$(tree "$files-snapshots/$snap")" "$(</persist/$snap)" "$snap is what it was"
	done
	expect 0 'a snapshot can be taken again' z snapshot home hourly
	expect 0 'stop' z stop
	is "$(dmsetup ls)" 'No devices found' 'nothing is left'
	done_testing
	exit
fi

mkfs.ext4 -q "$DEV1NAME"
z define volume home "$DEV1NAME" "$DEV2NAME" >/dev/null
z define master home --hourly 8 >/dev/null
for n in 1 2; do
	dd if=/dev/urandom of="$files/file$n" bs=1M count=3 status=none
	z snapshot home hourly >/dev/null
	tree >"/persist/hourly.$((2 - n))"
done
mkdir -p /mnt/elsewhere
mount /dev/mapper/home /mnt/elsewhere
rm "$files/file2"
tree >/persist/undo.0

exec 7<"$files/file1"
refused 3 'in use' revert home hourly.1
exec 7<&-
is "$(tree)" "$(</persist/undo.0)" 'a refused one changes nothing'
expect 0 'dry run' z revert home hourly.1 --dry-run
like "$(<"$out")" "would be brought back to snapshot 1 of" 'tells what would be done'
expect 0 'revert' z revert home hourly.1
like "$(<"$out")" "^volume 'home' is back at snapshot 1 of .*; what it was is snapshot 3, undo.0" 'says what it did'
is "$(tree)" "$(</persist/hourly.1)" 'the files are back'
is "$(tree /mnt/elsewhere)" "$(</persist/hourly.1)" 'also where else the volume was mounted'
umount /mnt/elsewhere
echo new >"$files/new"
sync -f "$files"
expect 0 'to the end' z revert home --continue --wait
is "$(<"$files/new")" new 'what was written since is there'
expect 0 'undo' z revert home undo.0 --wait
is "$(tree)" "$(</persist/undo.0)" 'undoes it'
expect 0 'list' z list home -H -o id,names
like "$(<"$out")" $'\tundo.0' 'with one more undo point'

# It switches, and fails all the same.
helper=/usr/libexec/zumastor/dm-revert
mv "$helper" "$helper.whole"
printf '#!/bin/bash\n%s.whole "$@"\nexit 1\n' "$helper" >"$helper"
chmod 0755 "$helper"
expect 1 'a failure after the switch' z revert home hourly.0
mv "$helper.whole" "$helper"
is "$(tree)" "$(</persist/hourly.0)" 'the files are back'
expect 0 'it goes on' z revert home --continue --wait
expect 0 'back again' z revert home undo.0 --wait
is "$(tree)" "$(</persist/undo.0)" 'what was reverted from is there'

# A job that found nothing to do, and gets the volume again only when the next revert has begun: that one is not its own.
cp -p /usr/bin/flock /usr/bin/flock.whole
cat >/usr/bin/flock.slow <<'END'
#!/bin/bash
echo >>/run/calls
if (($(wc -l </run/calls) == 3)); then
	touch /run/third
	until [[ -e /run/go ]]; do sleep 0.1; done
fi
exec /usr/bin/flock.whole "$@"
END
chmod 0755 /usr/bin/flock.slow
mv /usr/bin/flock.slow /usr/bin/flock
z revert home --job &
until [[ -e /run/third || -z $(jobs -r) ]]; do sleep 0.1; done
cp -p --remove-destination /usr/bin/flock.whole /usr/bin/flock
expect 0 'a revert behind a slow job' z revert home hourly.0
touch /run/go
expect 0 'goes to its end' z revert home --continue --wait
is "$(tree)" "$(</persist/hourly.0)" 'and is right'
wait

# A stop that is refused leaves it going, or begins it anew.
z revert home 2 >/dev/null
exec 7<"$files/file1"
refused 3 'in use' stop volume home
exec 7<&-
for ((n = 0; n < 300; n++)); do
	[[ $(/usr/libexec/zumastor/store-show "$DEV2NAME") == *$'\nrevert='* ]] || break
	sleep 0.1
done
is "$((n < 300))" 1 'the revert comes to its end'

# Held at its first step, the copying has not ended when the host dies.
z revert home 2 >/dev/null
z stop volume home
like "$(/usr/libexec/zumastor/store-show "$DEV2NAME")" '(revert=(open|merging)|generation|volume=)' 'stopped in the middle'
z start volume home
tree >/persist/tree
for snap in hourly.1 hourly.0 undo.0; do
	tree "$files-snapshots/$snap" >"/persist/$snap"
done
printf '%s\n' "$tap_count" >/persist/count
sync
lab restart-self
