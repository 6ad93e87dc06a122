# boot.sh - for tests that go through several boots of a real systemd (tests/lab/README.md, --systemd).
# Source it after lib.sh.
# shellcheck shell=bash disable=SC2154

# within SECONDS CMD [ARG...] - does it work before so many seconds have passed?
within() {
	local end=$((SECONDS + $1))
	until "${@:2}" &>/dev/null; do
		((SECONDS < end)) || return 1
		sleep 0.2
	done
}

booted() {
	systemctl --quiet is-active multi-user.target
}

# go_down reboot|restart-self - the test goes on in the next boot, its numbers, too.
go_down() {
	printf '%s %s\n' "$tap_count" "$tap_failed" >/persist/tap
	sync
	rm -rf -- "$scratch"
	exec lab "$1"
}

come_up() {
	read -r tap_count tap_failed </persist/tap
}

# moment UNIT PROPERTY - in microseconds since the kernel began; nothing when it has not come.
moment() {
	systemctl show --value --property="$2TimestampMonotonic" -- "$1" | sed '/^0$/d'
}

# keep_journal - of the shutdown that comes;  line TEXT - where it is in there.
keep_journal() {
	journalctl -f -n 0 -o cat >/persist/journal &
}

line() {
	grep -n -m 1 -F -- "$1" /persist/journal | cut -d : -f 1
}

# less A B DESC - both are numbers, and the first is less.
less() {
	like "$1 $2" '^[0-9]+ [0-9]+$' "$3: both are known"
	is "$(($1 < $2))" 1 "$3"
}
