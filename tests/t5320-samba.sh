#!/bin/bash
# lab: --hosts 2 --disk 64M --disk 128M --timeout 300
# Samba's clients on another host find a file's previous versions, and what each was: in a share of the volume and of a
# directory in it, through rotation, revert, restarts of the server and of the volume.
# shellcheck disable=SC2016,SC2153 # expanded over there; the lab gives the names of the disks
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cli.sh"
. "$(dirname "$0")/pair.sh"
snippet=/etc/samba/zumastor/home.conf

samba_start() {
	cat >/etc/samba/smb.conf <<-END
		[global]
			map to guest = Bad User
			disable spoolss = yes
			log level = 1
		[home]
			path = $files
			guest ok = yes
			read only = no
			force user = root
			include = $snippet
		[docs]
			path = $files/docs/deep
			guest ok = yes
			include = $snippet
	END
	mkdir -p /run/samba /var/log/samba
	smbd -D
}

samba_stop() {
	pkill -o -x smbd
	while pgrep -x smbd >/dev/null; do sleep 0.1; done
}

# far_versions - what the client is told of and gets: a line "SHARE @GMT-TIME STATE" each, oldest first.
cat >"$scratch/versions" <<'END'
cd /run
for share in home docs; do
	smbclient -N "//host1/$share" -c 'get state now' >/dev/null 2>&1
	echo "$share now $(cat now)"
	smbclient -N "//host1/$share" -c 'allinfo state' 2>&1 | grep -o '^@GMT-[0-9.-]*' | sort | while read -r time; do
		rm -f old
		smbclient -N "//host1/$share" -c "get $time\\state old" >/dev/null 2>&1 </dev/null
		echo "$share $time $(cat old)"
	done
done
END
far_versions() {
	far bash /run/versions 2>&1 || true
}

# versions - the same as it must be.
versions() {
	local share id seconds place=state
	for share in home docs; do
		echo "$share now $(<"$files/$place")"
		while IFS=$'\t' read -r id seconds; do
			[[ -e /dev/zumastor/home/$id ]] || continue	# what was reverted from, until the next start
			printf '%s @GMT-%s ' "$share" "$(date -u -d "@$seconds" +%Y.%m.%d-%H.%M.%S)"
			mkdir -p "/mnt/$id"
			mount -o ro,noload "/dev/zumastor/home/$id" "/mnt/$id"
			cat "/mnt/$id/$place"
			umount "/mnt/$id"
		done < <(z list home -H -o id,epoch)
		place=docs/deep/state
	done
}

n=0
snapshot() {
	n=$((n + 1))
	echo "$n" | tee $files/state >$files/docs/deep/state
	[[ $n == 1 ]] || sleep 1.1	# their names are times
	z snapshot home hourly >/dev/null
	echo "$n+" | tee $files/state >$files/docs/deep/state
	sync -f $files
}

mkfs.ext4 -q "$DEV1NAME"
z define volume home "$DEV1NAME" "$DEV2NAME" >/dev/null
mkdir -p $files/docs/deep

before=$(world)
module=$(find /usr/lib -name shadow_copy2.so)
mv "$module" "$module.away"
refused 5 'cannot show previous versions: .*samba-vfs-modules' define master home -h 3 -p
mv /usr/sbin/smbd /usr/sbin/smbd.away
hash -r
refused 5 "cannot show previous versions: .*package samba\$" define master home -h 3 -p
mv /usr/sbin/smbd.away /usr/sbin/smbd
mv "$module.away" "$module"
is "$(world)" "$before" 'without the packages nothing has changed'

expect 0 'share' z define master home -h 3 -p
snapshot
expect 0 'a server' samba_start
snapshot
scp -q "$scratch/versions" host2:/run/versions
is "$(far_versions)" "$(versions)" 'clients see every version'
like "$(versions | xargs)" '^home now 2\+ .*@GMT-.* 1 home @GMT-.* 2 docs now 2\+ docs @GMT-.* 1 docs @GMT-.* 2$' 'as it was'
is "$(find $files -name '@GMT*' -o -name .snapshot)" '' 'and the volume has nothing that is not its own'
for _ in 1 2; do
	snapshot
	is "$(far_versions)" "$(versions)" "after snapshot $n"
done
is "$(z list home -H -o id | xargs)" '2 3 4' 'the oldest is gone'
is "$(find /run/zumastor/samba/home -mindepth 1 -maxdepth 1 | wc -l)" 3 'and its place'
time=$(versions | sed -n '2s/^home \(@GMT[^ ]*\) .*/\1/p')
expect 1 'a version cannot be changed' far_sh "echo x | smbclient -N //host1/home -c 'put - $time\\state'"

expect 0 'revert' z revert home hourly.2 --wait
is "$(<$files/state)" 2 'is back'
is "$(far_versions)" "$(versions)" 'versions stay'
expect 0 'the server restarts' eval 'samba_stop; samba_start'
is "$(far_versions)" "$(versions)" 'versions stay'
expect 0 'stop' z stop volume home
is "$(ls /run/zumastor/samba)" '' 'they are gone'
echo 'utc = no' >/etc/zumastor/zumastor.conf
export TZ=UTC-5
expect 0 'start, elsewhere' z start volume home
is "$(far_versions)" "$(versions)" 'where it is another time they have the same'
unset TZ
rm /etc/zumastor/zumastor.conf
expect 0 'and again' eval 'z umount home; z mount home'
is "$(far_versions)" "$(versions)" 'here'
is "$(versions | wc -l)" 10 'all four of them'

expect 0 'no more' z define master home --no-export
is "$(find /run/zumastor/samba /etc/samba/zumastor -mindepth 1)" '' 'places and snippet are gone'
is "$(testparm -s 2>&1 >/dev/null | grep -i error)" '' 'which does not disturb the server'
is "$(far_versions | cut -d ' ' -f 1,2)" $'home now\ndocs now' 'there are no versions'
expect 0 'ignored' z define master home -nesp
is "$(find /run/zumastor/samba /etc/samba/zumastor /etc/exports.d -mindepth 1 2>/dev/null)" '' 'with -n'
expect 0 'a snapshot' z snapshot home hourly
is "$(grep -c "home-snapshots/$(cut -f 3 "$out")" /proc/self/mountinfo)" 0 'is not mounted then'
done_testing
