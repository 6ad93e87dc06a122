#!/bin/bash
# lab: --disk 32M --disk 32M
# A filesystem's label, and a file's name, are the data of strangers: they choose nothing and run nothing.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cli.sh"

n=0
# shellcheck disable=SC2016 # not to be expanded
for label in '$(touch /x.1)' '`touch /x.2`' ';touch /x.3' $'a\nTYPE=xfs' '"; touch /x4'; do
	n=$((n + 1))
	mkfs.ext4 -q -F -L "$label" "$DEV1NAME" 2>/dev/null
	expect 0 "define with label $n" z define volume home "$DEV1NAME" "$DEV2NAME"
	expect 0 'snapshot' z snapshot home
	expect 0 'status' z status home
	like "$(grep /volumes/home /proc/mounts)" ' ext4 ' 'it is mounted as what it is'
	expect 0 'forget' z forget volume home
	dd if=/dev/zero of="$DEV2NAME" bs=1M count=1 oflag=direct status=none
done
traces=(/x*)
is "${#traces[@]}" 0 'no label has run'

mkswap -f "$DEV1NAME" >/dev/null
expect 0 'a volume without a filesystem' z define volume home "$DEV1NAME" "$DEV2NAME"
expect 0 'snapshot' z snapshot home
is "$(grep -c zumastor/volumes /proc/mounts)" 0 'is not mounted'
expect 0 'forget' z forget volume home
done_testing
