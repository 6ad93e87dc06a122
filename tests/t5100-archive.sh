#!/bin/bash
# lab: --disk 32M --disk 64M --disk 32M --disk 64M --timeout 600
# A volume into files and, on another, back: in full and what changed, from files and from a pipe, and only what fits.
# shellcheck disable=SC2153 # the lab gives the names of the disks
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cli.sh"
dir=$scratch/archives
files=/run/zumastor/volumes/home
mkdir "$dir"

# change KIB
change() {
	dd if=/dev/urandom of="$files/noise.$((RANDOM % 3))" bs=1K count="$1" status=none
	date +%N >"$files/stamp"
}

# hash VOL SNAP - content of a snapshot.
hash() {
	[[ -e /dev/zumastor/$1/$2 ]] || z mount "$1" "$2" >/dev/null
	dd if="/dev/zumastor/$1/$2" bs=1M iflag=direct status=none | sha256sum
}

# column VOL NAME - of all snapshots.
column() {
	z list "$1" -H -o "$2" | xargs
}

mkfs.ext4 -q "$DEV1NAME"
z define volume home "$DEV1NAME" "$DEV2NAME" >/dev/null
z define master home --hourly 24 >/dev/null
z define volume copy "$DEV3NAME" "$DEV4NAME" >/dev/null
z define source copy archive --yes >/dev/null
for n in 1 2 3 4; do
	change 300
	z snapshot home hourly >/dev/null
done

# Out.
expect 0 'all of a snapshot into a directory' z export home 1 "$dir"
full=$(cd "$dir" && echo *)
like "$full" '^home\.20[0-9.]*-[0-9.]*\.full\.tar\.zst$' 'gives it a name'
like "$(<"$out")" "^$dir/$full: snapshot 1 of 'home' in full: 32M, [0-9.]+[KM] written" 'says what it did'
is "$(stat -c %a "$dir/$full")" 600 'for nobody else to read'
expect 0 'what changed' z export home 2 "$dir" --since 1
first=$(cd "$dir" && echo *.since-*)
like "$first" '^home\.20[0-9.]*-[0-9.]*\.since-20[0-9.]*-[0-9.]*\.tar\.zst$' 'gets a name, too'
expect 0 'under a name that tells how to compress' z export home 3 "$dir/second.tar.xz" --since hourly.2
expect 0 'it is so' xz -t "$dir/second.tar.xz"
z export home --since 3 - >"$dir/third.piped"
is "$(z archive list "$dir/third.piped" --json | jq -r '.archives[0].snapshot')" "$(column home uuid | cut -d ' ' -f 4)" \
	'the newest, through a pipe'
before=$(ls -lA "$dir")
refused 1 "it is there; --force replaces it" export home 1 "$dir"
refused 1 "snapshot 2 of 'home' is not older than snapshot 2" export home 2 "$dir/x" --since 2
refused 1 "No such file or directory" export home 2 "$dir/none/x"
refused 1 'it is no regular file' export home 2 /dev/null
expect 0 'a dry run' z export home "$dir/second.tar.xz" --since 3 --dry-run
like "$(<"$out")" "^snapshot 4 of 'home' since 3: [0-9.]+[KM] to write" 'tells how much'
is "$(ls -lA "$dir")" "$before" 'nothing of all this changed a file'
expect 0 'a file is replaced by force' z export home 1 "$dir/$full" --force -C gzip:9 -q
is "$(<"$out")" '' 'quietly'

# In.
refused 6 "it was made on snapshot .*, the newest of 'copy' is none" import copy "$dir/$first"
is "$(column copy id)" '' 'nothing is there'
expect 0 'in full' z import copy "$dir/$full"
like "$(<"$out")" "^$dir/$full: snapshot 1 of 'copy': [0-9.]+[KM] written" 'says so'
is "$(hash copy 1)" "$(hash home 1)" 'it is the same'
expect 0 'again' z import copy "$dir/$full"
like "$(<"$out")" "is in 'copy' already, as snapshot 1" 'is there already'
refused 6 "it was made on snapshot" import copy "$dir/second.tar.xz"
is "$(column copy id)" 1 'out of order it is not taken'
expect 0 'in order, what is there passed over' z import copy "$dir/$full" "$dir/$first" "$dir/second.tar.xz"
is "$(wc -l <"$out")" 3 'each is told of'
expect 0 'from a pipe' sh -c "cat $dir/third.piped | zumastor import copy -"
is "$(column copy uuid)" "$(column home uuid)" 'they have the same uuids'
is "$(column copy time,kinds,names)" "$(column home time,kinds,names)" 'times, kinds and names'
for n in 2 3 4; do
	is "$(hash copy "$n")" "$(hash home "$n")" "snapshot $n is the same"
done
is "$(cat /run/zumastor/volumes/copy/stamp)" "$(cat "$files/stamp")" 'readers see the newest'

# Onwards from the replica, and in one.
change 100
z snapshot home hourly >/dev/null
z export home --since 4 "$dir/fourth.tar" >/dev/null
expect 0 'a replica can be exported' z export copy 4 "$dir/merged.3.tar" --since 3
expect 0 'an increment of it' z archive list "$dir/merged.3.tar" --json
is "$(jq -r '.archives[0].volume' "$out")" "$(zumastor archive list "$dir/fourth.tar" --json | jq -r '.archives[0].volume')" \
	'is of the same volume as one from its source'
expect 0 'merge it with one from there' z archive merge "$dir/merged.tar.zst" "$dir/merged.3.tar" "$dir/fourth.tar"
refused 6 "it was made on snapshot" import copy "$dir/merged.tar.zst"
expect 0 'the increment itself' z import copy "$dir/fourth.tar"
is "$(hash copy 5)" "$(hash home 5)" 'is right'

# Looked at.
expect 0 'list' z archive list "$dir/$full" "$dir/$first" "$dir/merged.tar.zst"
is "$(awk '{ print $1, $NF }' "$out" | xargs)" "VOLUME FILE home $dir/$full home $dir/$first home $dir/merged.tar.zst" 'shows them'
is "$(awk 'NR == 3 { print $3 }' "$out")" "$(awk 'NR == 2 { print $2 }' "$out")" 'and on what each builds'
expect 0 'verify' z archive verify "$dir"/*
is "$(grep -c ': whole, ' "$out")" "$(find "$dir" -type f | wc -l)" 'all are whole'
expect 0 'from a pipe' sh -c "cat $dir/$full | zumastor archive verify -"

# Damaged: readers see what they saw, and the whole one mends it.
change 2000
z snapshot home hourly >/dev/null
z export home --since 5 "$dir/fifth.tar" >/dev/null
head -c 1500000 "$dir/fifth.tar" >"$dir/cut.tar"
cp "$dir/fifth.tar" "$dir/flipped.tar"
printf x | dd of="$dir/flipped.tar" bs=1 seek=1700000 conv=notrunc status=none
was=$(column copy uuid)
for bad in cut flipped; do
	expect 7 "$bad" z import copy "$dir/$bad.tar"
	is "$(wc -l <"$err")" 1 'one line says so'
	is "$(column copy uuid)" "$was" 'nothing came of it'
	is "$(hash copy 5)" "$(hash home 5)" 'the newest is as it was'
	refused 7 "'$dir/$bad.tar' is not whole" archive verify "$dir/$bad.tar"
done
expect 10 'some of several' z archive verify "$dir/cut.tar" "$dir/fifth.tar"
expect 0 'another one after it' z import copy "$dir/fifth.tar"
is "$(hash copy 6)" "$(hash home 6)" 'is right'

# What is not for it.
refused 1 'no regular file' import copy <(z export home -)
change 40
z snapshot home hourly >/dev/null
z export home "$dir/full.tar" --force >/dev/null
refused 6 "it is a full one, and 'copy' has snapshots; --full takes it nevertheless" import copy "$dir/full.tar"
expect 0 'nevertheless' z import copy "$dir/full.tar" --full
is "$(hash copy 7)" "$(hash home 7)" 'it is right'
refused 1 "is no replica here" import home "$dir/full.tar"
is "$(ls -A /run/zumastor/jobs)" '' 'nothing is left of the jobs'
expect 0 'stop' z stop
done_testing
