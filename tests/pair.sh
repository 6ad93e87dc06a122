# pair.sh - for tests of replication: volume home here, its replica on host2 (and host3).
#
# Source it after lib.sh.   Runs in the lab with at least two hosts.
# shellcheck shell=bash disable=SC2154

files=/run/zumastor/volumes/home

# z ARG... - the command here;  far ARG... - on host2, over one connection for all.
z() {
	zumastor "$@" </dev/null
}

far() {
	far_sh "$(printf '%q ' "$@")"
}

# far_sh SCRIPT - on host2.
far_sh() {
	ssh -n -o ControlMaster=auto -o ControlPath=/run/far -o ControlPersist=yes -o ServerAliveInterval=1 host2 "$1"
}

# pair_make - ext4 with some files on home, host2 ready to follow.
pair_make() {
	mkfs.ext4 -q "$DEV1NAME"
	z define volume home "$DEV1NAME" "$DEV2NAME"
	z define master home --hourly 24
	z define target home host2
	far zumastor define volume home "$DEV1NAME" "$DEV2NAME"
	far zumastor define source home host1
	cp -r /usr/share/zumastor "$files"
} >/dev/null

# pair_change KIB - new noise in one of a few files, and one file less or more.
pair_change() {
	dd if=/dev/urandom of="$files/noise.$((RANDOM % 4))" bs=1K count="$1" status=none
	date +%N >"$files/stamp"
	if [[ -e $files/odd ]]; then rm "$files/odd"; else cp /etc/passwd "$files/odd"; fi
}

# pair_next - the next number, n, in a file, in a snapshot, and there.
pair_next() {
	n=$((n + 1))
	echo "$n" >$files/state
	sync -f $files
	((n == 1)) || sleep 1.1	# their names are times
	z snapshot home hourly >/dev/null
	z replicate home host2 >/dev/null
}

# newest - uuid of the newest snapshot here.
newest() {
	z list home -H -o uuid | tail -n 1
}

# hashes - uuid and content of every snapshot here;  far_hashes - there.
# shellcheck disable=SC2016 # expanded over there
hashes_script='zumastor list home -H -o id,uuid | while read -r id uuid; do
	[ -e /dev/zumastor/home/$id ] || exit 1
	echo "$uuid $(dd if=/dev/zumastor/home/$id bs=1M iflag=direct status=none | md5sum)"
done'

hashes() {
	sh -c "$hashes_script"
}

far_hashes() {
	far_sh "$hashes_script"
}

# newest_hash - uuid and content of the newest snapshot here;  far_newest_hash - there.
# shellcheck disable=SC2016 # expanded over there
newest_script='zumastor list home -H -o id,uuid | tail -n 1 | {
	read -r id uuid
	[ -e /dev/zumastor/home/$id ] || { echo "$(hostname) does not show $uuid"; exit 1; }
	echo "$uuid $(dd if=/dev/zumastor/home/$id bs=1M iflag=direct status=none | md5sum)"
}'

newest_hash() {
	sh -c "$newest_script"
}

far_newest_hash() {
	far_sh "$newest_script"
}

# far_tree - what readers see over there: names and content;  tree DIR - the same here.
# shellcheck disable=SC2016 # expanded over there
tree_script='cd "$1" && find . -path ./lost+found -prune -o -type f -print | sort | xargs md5sum | md5sum'

tree() {
	sh -c "$tree_script" sh "$1"
}

far_tree() {
	far_sh "sh -c '$tree_script' sh $files"
}

# broken_ssh BYTES - a ssh in the way of ZUMASTOR_SSH that hangs up after so much was sent.
broken_ssh() {
	printf '#!/bin/sh\nstdbuf -o0 head -c %s | ssh "$@"\n' "$1" >"$scratch/ssh"
	chmod +x "$scratch/ssh"
	printf '%s' "$scratch/ssh"
}
