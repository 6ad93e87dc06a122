# cli.sh - for tests of the commands: refusals, and that they change nothing.
#
# Source it after lib.sh.  In the lab the installed program is used; elsewhere one is installed into
# the scratch directory, with its own /etc, /var and /run.
# shellcheck shell=bash disable=SC2154

if type -P lab >/dev/null; then
	zumastor=/usr/sbin/zumastor
	database=/var/lib/zumastor
	modprobe -a dm-snapshot dm-thin-pool
else
	chmod 0755 "$scratch"
	make -s -C "$top" install DESTDIR= PREFIX="$scratch/usr" sysconfdir="$scratch/etc" \
		localstatedir="$scratch/var" >"$scratch/install.log"
	zumastor=$scratch/usr/sbin/zumastor
	database=$scratch/var/lib/zumastor
fi

# lvm_only DISK - for there is no udev in the lab, and nothing else that LVM may look at.
lvm_only() {
	mkdir -p /etc/lvm
	cat >/etc/lvm/lvm.conf <<-END
		activation { udev_sync = 0 udev_rules = 0 verify_udev_operations = 0 }
		devices { obtain_device_list_from_udev = 0 use_devicesfile = 0 filter = [ "a|^$1\$|", "r|.*|" ] }
	END
	export LVM_SUPPRESS_FD_WARNINGS=1
}

# z ARG... - the command, with nobody at the terminal.
z() {
	"$zumastor" "$@" </dev/null
}

refusals=0	# how many were asked for

# refused CODE REGEX ARG... - zumastor ARG... ends with CODE, prints nothing but one line in the house
# form on stderr, and the line matches REGEX.   Thousands are asked for: no process but the command's own.
refused() {
	local code=$1 regex=$2 got=0 desc text nul=
	shift 2
	refusals=$((refusals + 1))
	desc="refused with $code: ${*:1:8}"
	desc=${desc//[^ -~]/?}
	z "$@" >"$out" 2>"$err" || got=$?
	! IFS= read -r -d '' text <"$err" || nul=yes
	if ((got != code)); then
		fail "$desc" "exit $got: $text"
	elif [[ -s $out || $text != *$'\n' || ${text%$'\n'} == *$'\n'* ]]; then
		fail "$desc" "not one line: $text $(<"$out")"
	elif ! [[ ${text%$'\n'} =~ ^zumastor[a-z\ ]*:\ .*$regex ]]; then
		fail "$desc" "'$text' is not like '$regex'"
	elif [[ -n $nul || ${text%$'\n'} == *[^\ -~]* ]]; then
		fail "$desc" "control characters: $(cat -v "$err")"
	else
		pass "$desc"
	fi
}

# world - everything that a refused command must leave as it was.
world() {
	local device
	dmsetup ls 2>/dev/null | sort
	cat /proc/mounts
	(cd "$database" && find . -type f -exec sha256sum {} + | sort)
	for device in "$@"; do
		dd if="$device" bs=1M iflag=direct status=none | sha256sum
	done
}

# unchanged BEFORE DESC DEVICE...
unchanged() {
	local before=$1 desc=$2
	shift 2
	is "$(world "$@")" "$before" "$desc"
}

# no_trace DESC - none of the injected commands has run: each would have made a file.
no_trace() {
	local -a traces=("$trap_dir"/*)
	is "${#traces[@]}" 0 "$1"
}

# Strings that run something where a shell, an expansion or arithmetic is careless with them.
trap_dir=$scratch/traps
mkdir -p "$trap_dir"
mark=$trap_dir/ran
# shellcheck disable=SC2016,SC2034 # they are not to be expanded; used by the tests
injections=(
	"\$(touch $mark.1)"
	"\`touch $mark.2\`"
	"; touch $mark.3"
	"| touch $mark.4"
	"x[\$(touch $mark.5)]"
	"a[\$(touch $mark.6)0]"
	"' ; touch $mark.7 ; '"
	"\" ; touch $mark.8 ; \""
	"-oProxyCommand=touch $mark.9"
	"home"$'\n'"touch $mark.10"
	"../../../../$mark.11"
	"%s%n%d"
	"--"
	"*"
	"~root"
	"1+x[\$(touch $mark.12)]"
	"home \$(touch $mark.13)"
	$'\e]0;x\a'
)
