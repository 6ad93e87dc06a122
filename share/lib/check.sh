# check.sh - gates for everything that was typed, stored or sent.   Needs core.sh.
#
# bash runs commands hidden in a number as soon as it calculates with it: nothing from outside may
# reach (( )), [[ -eq ]] or a subscript before is_number has seen it.  Messages name the thing, so
# the same gates serve arguments and files: `check_number "$value" 'port'`.
# shellcheck shell=bash

is_name()	{ [[ $1 =~ ^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$ ]]; }
is_names()	{ [[ $1 =~ ^[A-Za-z0-9][A-Za-z0-9_.-]*(\ [A-Za-z0-9][A-Za-z0-9_.-]*)*$ ]]; }
is_number()	{ [[ $1 =~ ^(0|[1-9][0-9]{0,17})$ ]]; }
is_clone()	{ [[ $1 == */* ]] && is_name "${1%%/*}" && is_clone_name "${1#*/}"; }
is_uuid()	{ [[ $1 =~ ^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$ ]]; }
is_stand_in()	{ [[ $1 == *' '* ]] && is_uuid "${1% *}" && is_uuid "${1#* }"; }
is_step()	{ [[ $1 == *' '* ]] && is_base "${1% *}" && is_uuid "${1#* }"; }
is_answer()	{ [[ $1 == @(yes|no) ]]; }
is_feature()	{ [[ $1 == fullvolume ]]; }
is_base()	{ [[ $1 == none ]] || is_uuid "$1"; }
is_verdict()	{ [[ $1 =~ ^[0-9]{1,12}\ [0-9a-f-]{36}\ (0|[1-9][0-9]{0,17})(\ repaired)?$ ]]; }
is_path()	{ [[ $1 == /* ]] && is_text "$1"; }
is_word()	{ [[ $1 =~ ^[A-Za-z0-9][A-Za-z0-9_.:=/+-]{0,62}$ ]]; }
is_kinds()	{ [[ $1 =~ ^[A-Za-z][A-Za-z0-9_-]{0,30}(,[A-Za-z][A-Za-z0-9_-]{0,30}){0,15}$ ]]; }
is_clients()	{ [[ $1 =~ ^[A-Za-z0-9@*?:][A-Za-z0-9@*?:./_-]*(,[A-Za-z0-9@*?:][A-Za-z0-9@*?:./_-]*)*$ ]] && is_text "$1"; }
is_mountopts()	{ [[ $1 != *[^A-Za-z0-9_.,:=/@%+-]* ]] && is_text "$1"; }
# The levels are those of csrc/lib/delta_write.c.
is_compress()	{ [[ $1 =~ ^(none|(gzip|lz4)(:[1-9])?|zstd(:([1-9]|1[0-9]))?|xz(:[0-6])?)$ ]]; }
is_compress_auto()	{ [[ $1 == auto ]] || is_compress "$1"; }
is_compare()	{ [[ $1 == @(yes|no|auto) ]]; }
# Not {0,1000} in an expression: glibc takes seconds for it.
is_text()	{ [[ $1 != *[^[:print:]]* ]] && ((${#1} <= 1000)); }
is_policy()	{ [[ $1 == expire || $1 == halt ]]; }
is_days()	{ is_number "$1" && ((${#1} <= 6)); }
is_calendar()	{ [[ $1 =~ ^[A-Za-z0-9*][A-Za-z0-9*/:.,~_+\ -]*$ ]] && ((${#1} <= 100)); }
is_mail()	{ [[ $1 =~ ^[A-Za-z0-9_][A-Za-z0-9_.+-]*(@[A-Za-z0-9.-]+)?(,[A-Za-z0-9_][A-Za-z0-9_.+-]*(@[A-Za-z0-9.-]+)?)*$ ]]; }
is_size()	{ [[ $1 =~ ^(0|[1-9][0-9]{0,17})[KMGT]?$ ]]; }

# An amount, or a part of something.
is_space()	{ is_size "$1" || [[ $1 =~ ^([0-9]|[1-9][0-9]|100)%$ ]]; }

# A host name, an IPv4 or an IPv6 address.  Nothing that ssh or a shell could take for an option,
# an address of another kind or a command.
is_host() {
	[[ $1 =~ ^[A-Za-z0-9][A-Za-z0-9.-]*$ || $1 =~ ^[0-9A-Fa-f:][0-9A-Fa-f:.]*:[0-9A-Fa-f:.]+$ ]] &&
		((${#1} <= 253))
}

# Of exports(5), but for those on which it depends that no path leads elsewhere.
is_export_options() {
	local word='r[ow]|a?sync|(in)?secure|(no_)?root_squash|(no_)?all_squash|anon[ug]id=[0-9]{1,10}|sec=[a-z0-9:]+|no_acl|(no_)?wdelay'
	[[ $1 =~ ^($word)(,($word))*$ ]] && is_text "$1"
}

# Custom kinds begin with a letter, so that no kind looks like a snapshot's number.
is_kind() {
	[[ $1 =~ ^[A-Za-z][A-Za-z0-9_-]{0,30}$ && $1 != @(manual|expired|exec|none) ]]
}

# The links to clones lie beside those to snapshots and to the origin.
is_clone_name() {
	is_name "$1" && ((${#1} <= 32)) && [[ $1 =~ [^0-9] && $1 != origin && $1 != *.store ]]
}

# check TYPE VALUE WHAT [CODE] - dies with CODE (usage) unless is_TYPE VALUE.
check() {
	"is_$1" "$2" || die_with "${4:-$USAGE}" "bad $3 '${2:0:80}'"
}

check_volume_name() {
	is_name "$1" || die_usage "bad volume name '${1:0:80}'"
}

check_group_name() {
	is_name "$1" || die_usage "bad group name '${1:0:80}'"
}

# size_bytes TEXT WHAT - the bytes in 4096, 16K, 1M, 2G, 1T.
size_bytes() {
	local number=${1%[KMGT]} shift_by=0
	check size "$1" "$2"
	case $1 in
	*K)	shift_by=10 ;;
	*M)	shift_by=20 ;;
	*G)	shift_by=30 ;;
	*T)	shift_by=40 ;;
	esac
	((number <= (1 << 62) >> shift_by)) || die_usage "$2 '$1' is too large"
	printf '%s' $((number << shift_by))
}

# host_split [USER@]HOST[:PORT] - sets host, and user and port ('' for the default).
host_split() {
	port='' user=''
	if [[ $1 == *@* ]]; then
		user=${1%%@*}
		check user "$user" 'user'
		set -- "${1#*@}"
	fi
	case $1 in
	\[*\])		host=${1:1:-1} ;;
	\[*\]:*)	host=${1%]:*}
			host=${host#[}
			port=${1##*]:} ;;
	*:*:*)		host=$1 ;;
	*:*)		host=${1%:*}
			port=${1##*:}
			check port "$port" 'port' ;;
	*)		host=$1 ;;
	esac
	check host "$host" 'host'
	[[ -z $port ]] || check port "$port" 'port'
}

# Of a login there.
is_user() {
	[[ $1 =~ ^[a-z_][a-z0-9_-]{0,31}$ ]]
}

is_port() {
	is_number "$1" && ((${#1} <= 5 && $1 >= 1 && $1 <= 65535))
}
