# grow.sh - make the device that a volume is on larger.   Needs core.sh, check.sh.
#
# Only where that is a matter of one command: an LVM volume, or a loop device over a whole file.
# shellcheck shell=bash

# grow_check PATH BYTES - dies unless PATH has, or can be given, so many bytes.  Sets REPLIES to
# the command that does it, or to nothing when there is enough.
grow_check() {
	local number sys has
	REPLIES=()
	has=$(blockdev --getsize64 "$1")
	is_number "$has" || die "cannot learn the size of '$1'"
	((has < $2)) || return 0
	number=$(stat -L -c %Hr:%Lr -- "$1")
	sys=/sys/dev/block/$number
	if [[ -e $sys/dm/uuid && $(<"$sys/dm/uuid") == LVM-* ]] && type -P lvextend >/dev/null; then
		grow_check_lvm "$number" "$2"
	elif [[ -e $sys/loop/backing_file ]]; then
		grow_check_loop "$sys/loop" "$@"
	fi
	((${#REPLIES[@]})) || die "'$1' has $has bytes, $2 are needed: make it larger first"
}

# grow_check_lvm MAJOR:MINOR BYTES
grow_check_lvm() {
	local name
	name=$(lvs --noheadings -o lv_full_name \
		-S "lv_kernel_major=${1%:*} && lv_kernel_minor=${1#*:}" 2>/dev/null) || return 0
	[[ $name =~ ^[[:space:]]*([A-Za-z0-9+_./-]+)[[:space:]]*$ ]] || return 0
	REPLIES=(grow_lvm "${BASH_REMATCH[1]}" "$2")
}

# grow_check_loop SYS PATH BYTES
grow_check_loop() {
	local file
	file=$(<"$1/backing_file")
	[[ $(<"$1/offset") == 0 && $(<"$1/sizelimit") == 0 && -f $file ]] || return 0
	REPLIES=(grow_loop "$2" "$file" "$3")
}

grow_lvm() {
	grow_quietly env LVM_SUPPRESS_FD_WARNINGS=1 lvextend -q -q -L "$2b" -- "$1"
}

# grow_loop DEVICE FILE BYTES - a file that is all there gets its new part now, and not when somebody
# writes to it and the filesystem may be full.
grow_loop() {
	local blocks bytes
	read -r blocks bytes <<<"$(stat -c '%b %s' -- "$2")"
	if ((bytes < $3 && blocks * 512 >= bytes)); then
		grow_quietly fallocate -o "$bytes" -l $(($3 - bytes)) -- "$2"
	elif ((bytes < $3)); then
		grow_quietly truncate -s "$3" -- "$2"
	fi
	grow_quietly losetup -c "$1"
}

# grow_quietly CMD [ARG...] - its complaint in one line of ours.
grow_quietly() {
	local text
	text=$(run "$@" 2>&1 </dev/null) || die "cannot extend '${*: -1}': ${text##*$'\n'}"
	[[ -z $text ]] || printf '%s\n' "$text" >&2
}
