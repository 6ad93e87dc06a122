#!/bin/bash
# lab: --disk 32M --disk 32M --disk 4M --disk 32M
# `define volume` refuses devices that are not fit, and a second volume on them; nothing is changed.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cli.sh"
origin=$DEV1NAME store=$DEV2NAME small=$DEV3NAME spare=$DEV4NAME
devices=("$origin" "$store" "$small" "$spare")

z status >/dev/null	# makes the directories
before=$(world "${devices[@]}")
refused 1 "no such origin '/dev/nosuch'" define volume home /dev/nosuch "$store"
refused 1 "no such snapshot store" define volume home "$origin" /dev/nosuch
refused 1 'no such metadata device' define volume home "$origin" "$store" -m /dev/nosuch
refused 1 'not a block device' define volume home /etc/passwd "$store"
refused 1 'not a block device' define volume home "$origin" /etc
refused 2 'same device' define volume home "$origin" "$origin"
ln -s "$origin" "$scratch/alias"
refused 2 'same device' define volume home "$origin" "$scratch/alias"
refused 2 'same device' define volume home "$origin" "$store" --metadev "$store"
refused 2 'too small' define volume home "$origin" "$small"
for injection in "${injections[@]}"; do
	code=1
	[[ $injection != *[^\ -~]* ]] || code=2
	refused "$code" 'no such origin|bad origin' define volume home --origin "$injection" --store "$store"
done
unchanged "$before" 'the refusals changed nothing' "${devices[@]}"

mkfs.ext4 -q "$store"
before=$(world "${devices[@]}")
refused 1 "holds ext4 and origin .* nothing" define volume home "$origin" "$store"
refused 1 "swapped" define volume home "$origin" "$store" --yes
refused 1 'holds ext4; nothing was overwritten' define volume home --origin "$origin" --store "$store"
refused 1 'holds ext4; nothing was overwritten' define volume home -z "$store" "$origin"
refused 1 'holds ext4; nothing was overwritten' define volume home -i "$store" "$origin"
unchanged "$before" 'a swapped pair is not touched' "${devices[@]}"

mkdir "$scratch/mnt"
mount "$store" "$scratch/mnt"
before=$(world "$origin")
refused 3 'is mounted' define volume home "$store" "$origin"
refused 3 'is mounted' define volume home "$origin" "$store" --yes
unchanged "$before" 'a mounted device is not touched' "$origin"
umount "$scratch/mnt"

mkswap "$spare" >/dev/null
swapon "$spare"
refused 3 'in use as swap' define volume home "$spare" "$store"
swapoff "$spare"
wipefs -qa "$spare"
dmsetup create busy --table "0 2048 linear $spare 0"
refused 3 'is in use by dm-' define volume home "$spare" "$store"
dmsetup remove busy
dmsetup create home-cow-7 --table '0 2048 error'
refused 3 'collides' define volume home "$origin" "$spare"
dmsetup remove home-cow-7

before=$(world "$origin" "$store" "$spare")
expect 0 'the first definition' z define volume home "$store" "$origin"
during=$(world)
refused 1 'already defined' define volume home "$store" "$origin"
refused 3 "is (mounted|in use)|belongs" define volume other "$store" "$spare"
refused 3 "in use|belongs" define volume other "$spare" "$origin"
refused 1 "collides with volume 'home'" define volume home-store "$spare" "$small"
refused 1 "collides with volume 'home'" define volume home-snapshots "$spare" "$small"
is "$(world)" "$during" 'the first is as it was'

expect 0 'forget it' z forget volume home
like "$(<"$out")" 'its snapshots stay' 'it says what stays'
during=$(world "${devices[@]}")
refused 1 "belongs to volume 'home'" define volume other "$store" "$origin"
refused 1 'was made for an origin of' define volume home "$small" "$origin"
refused 1 'cannot be changed' define volume home "$store" "$origin" -c 64K
unchanged "$during" "another volume's store is not touched" "${devices[@]}"
expect 0 'its own volume takes it over' z define volume home "$store" "$origin"
expect 0 'stop' z stop volume home
is "$(dmsetup ls)" 'No devices found' 'no device is left'
no_trace 'no injected command has run'
done_testing
