#!/bin/bash
# `make uninstall` takes away all that `make install` has brought, but for configuration and state.
. "$(dirname "$0")/lib.sh"
root=$scratch/root

make_it() {
	make -s -C "$top" "$1" DESTDIR="$root" PREFIX=/usr
}

left() {
	(cd "$root" && find . ! -type d | sort)
}

expect 0 'install' make_it install
like "$(left)" '/usr/sbin/zumastor' 'there it is'
is "$(grep -rl '@[a-z]*dir@\|@version@' "$root" | grep -v '/share/doc/')" '' 'every path is filled in'
is "$(find "$root" -type f ! -perm 0644 ! -perm 0755)" '' 'all can read, and root can write'
echo mine >>"$root/etc/zumastor/zumastor.conf"
echo state >"$root/var/lib/zumastor/state"
expect 0 'install over it' make_it install
like "$(<"$root/etc/zumastor/zumastor.conf")" mine 'the configuration stays'
expect 0 'uninstall' make_it uninstall
is "$(left | xargs)" './etc/zumastor/zumastor.conf ./var/lib/zumastor/state' 'configuration and state stay, and nothing else'
is "$(cd "$root" && find . -type d -name '*zumastor*' | sort | xargs)" './etc/zumastor ./var/lib/zumastor' \
	'nor a directory'
done_testing
