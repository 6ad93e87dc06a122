#!/bin/bash
# lab: --hosts 2 --disk 64M --disk 128M --timeout 300
# Clients of version 3 and 4 on another host find the volume, its snapshots and .snapshot by NFS, each what it is, and live data
# under no snapshot's path: through rotation, revert, restarts of the server and of the volume.
# shellcheck disable=SC2016,SC2153 # expanded over there; the lab gives the names of the disks
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cli.sh"
. "$(dirname "$0")/pair.sh"
. "$(dirname "$0")/nfs.sh"
exports=/etc/exports.d/zumastor-home.exports
net=${IPADDR%.*}.0/24

# far_states - what the client's mounts and .snapshot show: a line "PLACE STATE" each.
cat >"$scratch/states" <<'END'
for v in 3 4; do
	echo "v$v now $(cat /mnt/v$v/state)"
	for dir in /mnt/v$v/.snapshot/2*; do
		echo "v$v ${dir##*/} $(cat $dir/state)"
	done
done
END
far_states() {
	far sh /run/states 2>&1 || true
}

# states - the same as it must be.
states() {
	local v dir
	for v in 3 4; do
		echo "v$v now $(<$files/state)"
		for dir in "$files"-snapshots/2*; do
			echo "v$v ${dir##*/} $(<"$dir/state")"
		done
	done
}

n=0
snapshot() {
	n=$((n + 1))
	echo "$n" >$files/state
	[[ $n == 1 ]] || sleep 1.1	# their names are times
	z snapshot home hourly >/dev/null
	echo "$n+" >$files/state
	sync -f $files
}

mkfs.ext4 -q "$DEV1NAME"
z define volume home "$DEV1NAME" "$DEV2NAME" >/dev/null

mv /usr/sbin/exportfs /usr/sbin/exportfs.away
hash -r
before=$(world)
refused 5 'cannot export by NFS: .*nfs-kernel-server' define master home -h 3 -e
is "$(world)" "$before" 'without a server nothing has changed'
mv /usr/sbin/exportfs.away /usr/sbin/exportfs

refused 2 'go with --export' define master home -h 3 --export-to host2
expect 0 'to whom?' z define master home -h 3 -e
like "$(<"$err")" "exported to this host alone; --export-to CLIENT" 'to nobody else, and it says so'
like "$(<$exports)" '^/run/zumastor/volumes/home -ro,mp,no_subtree_check,fsid=[0-9a-f]{32} localhost$' 'read-only'
ln -s /srv $files/.snapshot
expect 0 'where .snapshot is a link' z define master home -s
like "$(<"$err")" "are not shown in .* it is no directory" 'it says so'
is "$(grep -c ' /srv ' /proc/self/mountinfo)" 0 'and follows it not'
rm $files/.snapshot
expect 1 'check' z check home
like "$(<"$out")" "not shown in '$files/.snapshot'; 'zumastor mount home' puts it right" 'tells, too'
expect 0 'export' z define master home -e -s --export-to "host9.example.org,$net" --export-options rw,no_root_squash
nfs_root
snapshot
expect 0 'a server' nfs_start -r
snapshot
scp -q "$scratch/states" host2:/run/states
expect 0 'clients' far_sh "mkdir -p /mnt/v3 /mnt/v4 &&
	timeout 60 mount -t nfs -o vers=4.2,actimeo=1,lookupcache=none host1:/zumastor/volumes/home /mnt/v4 &&
	timeout 60 mount -t nfs -o vers=3,nolock,actimeo=1,lookupcache=none host1:$files /mnt/v3"
((tap_failed == 0)) || exit 1
is "$(far_states)" "$(states)" 'they see what there is'
is "$(states | sort -u | wc -l)" 6 'which is a volume and two snapshots'
is "$(far_sh 'ls /mnt/v4/.snapshot')" "$(ls $files-snapshots)" 'with the names of kinds'
is "$(far_sh 'cat /mnt/v3/.snapshot/hourly.1/state /mnt/v4/.snapshot/hourly.0/state' | xargs)" '1 2' 'which lead there'
expect 0 'the volume can be written' far_sh 'echo v3 >/mnt/v3/three && echo v4 >/mnt/v4/four'
is "$(cat $files/three $files/four | xargs)" 'v3 v4' 'and is'
expect 1 'a snapshot cannot' far_sh 'touch /mnt/v4/.snapshot/hourly.0/x || touch /mnt/v3/.snapshot/hourly.0/x'
first=$(cd "$files-snapshots" && readlink hourly.1)
expect 0 'a snapshot by itself' far_sh "mkdir -p /mnt/one && mount -t nfs -o vers=3,nolock host1:$files-snapshots/$first /mnt/one"
is "$(far cat /mnt/one/state)" 1 'is that'

# The client has the oldest one open, and looks at it all the time.
far_sh 'umount /mnt/one; sleep 10000 </mnt/v4/.snapshot/hourly.1/state >/dev/null 2>&1 & echo $! >/run/holder
	while [ ! -e /run/enough ]; do cat /mnt/v[34]/.snapshot/'"$first"'/state; sleep 0.1; done >/run/seen 2>/dev/null </dev/null &'
for _ in 1 2; do
	snapshot
	is "$(far_states)" "$(states)" "after snapshot $n"
done
is "$(z list home -H -o id | xargs)" '2 3 4' 'the oldest is gone, whoever had it open'
is "$(grep -c "$first" $exports /proc/self/mountinfo /var/lib/nfs/etab | xargs)" \
	"$exports:0 /proc/self/mountinfo:0 /var/lib/nfs/etab:0" 'and neither mounted nor exported'
expect 1 'nothing is to be seen where it was' far_sh "cat /mnt/v4/.snapshot/$first/state || cat /mnt/v3/.snapshot/$first/state"
far_sh 'touch /run/enough; kill $(cat /run/holder)'
is "$(far_sh 'sort -u /run/seen')" 1 'and nothing else was, at any time'

kept=$(<$exports)
ids=$(grep -o 'fsid=.*' $exports | sort -u | wc -l)
is "$ids" "$(wc -l <$exports)" 'every path has an id of its own'
expect 0 'the server restarts' eval 'nfs_stop; nfs_start -r'
is "$(far_states)" "$(states)" 'and all is there'
exportfs -ua
expect 1 'check' z check home
like "$(<"$out")" "NFS server is not told to export" 'sees that nothing is exported'
expect 0 'who takes exports away' z mount home
expect 0 'check' z check home
is "$(far_states)" "$(states)" 'is no match'

expect 0 'revert' z revert home hourly.2 --wait
is "$(<$files/state)" 2 'is back'
is "$(ls $files/.snapshot)" "$(ls $files-snapshots)" 'with .snapshot'
is "$(far_states)" "$(states)" 'for them, too'
expect 0 'and forth' z revert home undo.0 --wait
is "$(far_states)" "$(states)" 'for them, too'

expect 0 'stop' z stop volume home
is "$(ls /etc/exports.d)" '' 'nothing is exported'
is "$(grep zumastor /var/lib/nfs/etab)" '' 'nothing at all'
expect 0 'start' z start volume home
is "$(grep -F "$kept" $exports)" "$kept" 'the same again, with the same ids'
is "$(far_states)" "$(states)" 'for clients that were there all the time'
kept=$(<$exports)

expect 0 'what is in /etc/exports' eval "echo '$files $net(rw,fsid=77,no_subtree_check,no_root_squash)' >>/etc/exports; z umount home; z mount home"
is "$(grep -c "^$files " $exports)" 0 'is left to the administrator'
nfs_root
expect 0 'and ours again without it' z mount home

expect 0 'limits alone' z define master home -h 4
is "$(<$exports)" "$kept" 'leave the exports as they are'
mount -o remount,ro "$files/.snapshot"
z define master home -h 3
expect 0 'where .snapshot cannot be changed' z snapshot home hourly
like "$(<"$err")" 'not shown where it should be' 'it says so'
is "$(z list home -H -o kinds | grep -c hourly)" 3 'and rotates all the same'
mount -o remount,rw "$files/.snapshot"
z mount home
is "$(far_states)" "$(states)" 'until it can'

expect 0 'no more' z define master home --no-export
is "$(ls /etc/exports.d)" '' 'no exports'
is "$(grep -c "$files/.snapshot" /proc/self/mountinfo)" 0 'no .snapshot'
expect 2 'nothing' far_sh 'ls /mnt/v3/ || ls /mnt/v4/'
far_sh 'umount -l /mnt/v3 /mnt/v4'
expect 0 'again' z define master home -es
expect 0 'forget' z forget volume home
is "$(ls /etc/exports.d)" '' 'leaves no exports'
is "$(grep -c /run/zumastor /proc/self/mountinfo)" 0 'and no mounts'
done_testing
