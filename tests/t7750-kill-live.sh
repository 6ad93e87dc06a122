#!/bin/bash
# lab: --disk 16M --disk 32M --timeout 900
# A volume comes under a mounted device, has snapshots taken, and goes again; killed or failing at any step of it the
# filesystem goes on, nothing stays suspended, each snapshot is a clean filesystem, and the next command does the rest.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/stack.sh"

half=$(($(blockdev --getsz "$origin") / 2))
dmsetup create data <<END
0 $half linear $origin $half
$half $half linear $origin 0
END
mkfs.ext4 -q -b 4096 /dev/mapper/data
mkdir /mnt/data
own=$(dmsetup table data)
mount /dev/mapper/data /mnt/data

# with FAULT CMD... - CMD with the fault; its status.
with() {
	local status=0
	{ ZUMASTOR_FAULT=$1 "${@:2}"; } &>/dev/null || status=$?
	at_rest "$1" || trouble+=" suspended after $*"
	return "$status"
}

# In `make check` each step has one of the faults.
kinds=(kill killboth fail)
passes=$(long_or '0 1 2' $((RANDOM % 3)))

on_volume() {
	[[ $(dmsetup table data) != "$own" ]]
}

# unmounted, stopped, and mounted again on its own table
away() {
	umount /mnt/data || trouble+=' cannot unmount'
	"$helpers/dm-stop" home "$store" || trouble+=" cannot stop after $1"
	[[ $(dmsetup ls | wc -l) == 1 && $(dmsetup table data) == "$own" ]] ||
		trouble+=" left after $1: $(dmsetup ls | xargs)"
	mount /dev/mapper/data /mnt/data || trouble+=" cannot mount after $1"
}

fresh() {
	wipefs -q -a "$store"
	dd if=/dev/zero of="$store" bs=64k count=1 status=none conv=notrunc oflag=direct
	"$helpers/store-format" home /dev/mapper/data "$store" >/dev/null
}

adopt() {
	"$helpers/dm-start" --adopt home /dev/mapper/data "$store"
}

for pass in $passes; do
	for ((n = 1; ; n++)); do
		trouble=
		fault=${kinds[(n + pass) % 3]}
		fresh
		! with "$fault:$n" adopt || break
		((n < 99)) || { fail 'it never comes under it'; exit 1; }
		# Not yet there, it may have no snapshot; there, it is used on.
		if ! on_volume && "$helpers/dm-snapshot" home "$store" &>/dev/null && ! on_volume; then
			trouble+=' a snapshot of nothing'
		fi
		[[ $fault == killboth ]] || timeout 10 touch "/mnt/data/$n" || trouble+=' not writable'
		[[ $fault != killboth ]] || "$helpers/dm-stop" home "$store" &>/dev/null || true
		away "$fault:$n"
		is "$trouble" '' "$fault at step $n of coming under it"
	done
	is "$trouble" '' "it is there after $((n - 1)) steps"
	on_volume || fail 'it lies on the volume'
	away "no fault"
done

trouble=
fresh
expect 0 'a volume under a mounted device' adopt
expect 3 'which is not stopped then' "$helpers/dm-stop" home "$store"
expect 3 'nor made again' adopt
on_volume || fail 'and stays there'
expect 0 'it can be taken back' "$helpers/dm-stop" --mounted home "$store"
is "$(dmsetup ls | wc -l) $(dmsetup table data)" "1 $own" 'and nothing is left'
expect 0 'nothing happened to what is mounted' touch /mnt/data/taken-back
adopt

# The newest file is complete in each snapshot, and the filesystem was at rest.
check_newest() {
	local id
	id=$(live "$store" | tail -n 1)
	[[ -n $id ]] || return 0
	"$helpers/dm-show" home "$store" "$id" >/dev/null || trouble+=" cannot show $id"
	e2fsck -fn "/dev/zumastor/home/$id" &>"$scratch/fsck" || trouble+=" $1: snapshot $id is not clean"
	! grep -q 'needs_recovery' <(dumpe2fs -h "/dev/zumastor/home/$id" 2>/dev/null) ||
		trouble+=" $1: snapshot $id was not frozen"
	"$helpers/dm-hide" home "$store" "$id"
	"$helpers/dm-remove" home "$store" "$id"
}

"$helpers/dm-snapshot" home "$store" >/dev/null
for pass in $passes; do
	for ((n = 1; ; n++)); do
		trouble=
		status=0
		fault=${kinds[(n + pass) % 3]}
		dd if=/dev/urandom of="/mnt/data/file$((n % 5))" bs=16k count=4 status=none
		with "$fault:$n" "$helpers/dm-snapshot" home "$store" || status=$?
		"$helpers/dm-settle" home "$store" || trouble+=' cannot settle'
		not_suspended || trouble+=' still suspended'
		on_volume || trouble+=' not on the volume'
		timeout 10 sync -f /mnt/data || trouble+=' cannot write'
		[[ $(fact head_state) == @(ok|none) ]] || trouble+=" head $(fact head_state)"
		check_newest "$fault:$n"
		((status != 0)) || break
		is "$trouble" '' "$fault at step $n of a snapshot"
	done
	is "$trouble" '' "a snapshot after $((n - 1)) steps"
done

umount /mnt/data
"$helpers/dm-stop" home "$store"
for pass in $passes; do
	for ((n = 1; ; n++)); do
		trouble=
		status=0
		mount /dev/mapper/data /mnt/data
		[[ $n == 1 || $(<"/mnt/data/kept") == $((n - 1)) ]] || trouble+=' not what was written'
		fresh
		adopt || trouble+=' cannot come under it'
		"$helpers/dm-snapshot" home "$store" >/dev/null
		echo "$n" >/mnt/data/kept
		umount /mnt/data
		fault=${kinds[(n + pass) % 3]}
		with "$fault:$n" "$helpers/dm-stop" home "$store" || status=$?
		"$helpers/dm-start" home /dev/mapper/data "$store" || trouble+=' cannot start'
		! dmsetup table home-lower &>/dev/null || on_volume || trouble+=' neither on it nor under it'
		! "$helpers/store-show" "$store" | grep -q state=lost || trouble+=' lost'
		"$helpers/dm-stop" home "$store" || trouble+=' cannot stop'
		[[ $(dmsetup ls | wc -l) == 1 && $(dmsetup table data) == "$own" ]] || trouble+=' not its own table'
		((status != 0)) || break
		is "$trouble" '' "$fault at step $n of going"
	done
	is "$trouble" '' "gone after $((n - 1)) steps"
done
expect 0 'the filesystem is clean' e2fsck -fn /dev/mapper/data
done_testing
