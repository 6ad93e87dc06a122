# archive.sh - deltas in files: under which name, how compressed, and never half a one.
#
# Needs core.sh, check.sh, config.sh, state.sh, volume.sh (facts_read); to read them a private directory, job.
# shellcheck shell=bash disable=SC2034,SC2154

# Of a pipe so much is looked at before it is read: the header and what may be compressed along with it, 4 MiB by lz4.
readonly ARCHIVE_HEAD=$((5 << 20))

# archive_method FILE - sets REPLY to the compression that its name asks for, or to nothing.
archive_method() {
	REPLY=
	case $1 in
	*.tar)			REPLY=none ;;
	*.tar.gz | *.tgz)	REPLY=gzip ;;
	*.tar.lz4)		REPLY=lz4 ;;
	*.tar.zst)		REPLY=zstd ;;
	*.tar.xz | *.txz)	REPLY=xz ;;
	esac
}

# archive_suffix METHOD[:LEVEL] - sets REPLY.
archive_suffix() {
	case ${1%:*} in
	none)	REPLY=.tar ;;
	gzip)	REPLY=.tar.gz ;;
	zstd)	REPLY=.tar.zst ;;
	*)	REPLY=.tar.${1%:*} ;;
	esac
}

# archive_compress FILE - sets compress: what was asked for, or FILE's name does, or the configuration.
archive_compress() {
	[[ -z ${opt[compress]+set} ]] || check compress "${opt[compress]}" 'compression'
	archive_method "$1"
	compress=${opt[compress]-${REPLY:-${config[compress]}}}
}

# archive_check_new - the file to be made may be made.
archive_check_new() {
	[[ -e $archive || -L $archive ]] || return 0
	[[ -f $archive ]] || die "cannot write '$archive': it is no regular file; '-' writes to a pipe"
	[[ -n ${opt[force]-} ]] || die "cannot write '$archive': it is there; --force replaces it"
}

# archive_begin FILE [NAME] - sets archive: the file to be made, NAME in the directory FILE where that is one; and
# archive_part: what is written until it is whole, in the same directory.  For "-" it is nothing.
archive_begin() {
	local text
	archive=$1 archive_part=
	if [[ $1 == - ]]; then
		[[ ! -t 1 ]] || die_usage "the stream cannot go to a terminal"
		return
	fi
	[[ -z ${2-} || ! -d $archive ]] || archive=${archive%/}/$2
	archive_check_new
	text=$(mktemp -- "$(dirname -- "$archive")/.zumastor.XXXXXX" 2>&1) ||
		die "cannot write '$archive': ${text##*: }"
	archive_part=$text
	on_exit rm -f -- "$archive_part"
}

# archive_end - it is whole: it gets its name when it is on the disk.
archive_end() {
	local text
	[[ -n $archive_part ]] || return 0
	text=$(sync -- "$archive_part" 2>&1) || die "cannot write '$archive': ${text##*: }"
	archive_check_new
	text=$(mv -fT -- "$archive_part" "$archive" 2>&1) || die "cannot write '$archive': ${text##*: }"
	keep	# it has its name
	sync -- "$(dirname -- "$archive")"
}

# archive_job - how a command begins that looks at archives without a volume; sets job.
archive_job() {
	need_root
	config_load
	state_open
	job=$(mktemp -d "$ZUMASTOR_RUN/jobs/archive.XXXXXX")
	always rm -rf -- "$job"
}

# archive_result FAILED WORST - the end of a command about several, of which some failed with that code at worst.
archive_result() {
	(($1 == 0)) || exit $((${#args[@]} == 1 ? $2 : SOME_FAILED))
}

# archive_open FILE|- - sets archive_in, a descriptor to read it from, and facts, what its header says.
archive_open() {
	if [[ $1 == - ]]; then
		[[ ! -t 0 ]] || die_usage "the stream cannot come from a terminal"
		head -c "$ARCHIVE_HEAD" >"$job/head"
		exec {archive_in}< <(cat -- "$job/head" - | archive_watch)
		archive_facts "$1" "$job/head"
		return
	fi
	archive_check_file "$1"
	archive_facts "$1" "$1"
	exec {archive_in}< <(archive_watch "$1")
}

# archive_check_file FILE - it can be read again and again.
archive_check_file() {
	[[ -e $1 ]] || die_with "$ABSENT" "no such file '$1'"
	[[ -f $1 && -r $1 ]] || die "cannot read '$1': it is no regular file"
}

# archive_watch [FILE] - becomes what passes it on, by way of pv where a person waits.
archive_watch() {
	if [[ -t 2 && -z $quiet ]] && type -P pv >/dev/null; then
		exec pv -b -p -t -e -r -- "$@"
	fi
	exec cat -- "$@"
}

# archive_facts NAME FILE - sets facts, from the beginning of FILE, which people know as NAME.
archive_facts() {
	local text
	text=$("$ZUMASTOR_LIBEXEC/delta-show" 2>"$job/error" <"$2") ||
		die_with "$?" "cannot read '$1': $(sed 's/^[a-z-]*: [^:]*: //;q' "$job/error")"
	facts_read "$text"
	check uuid "${facts[volume]-}" 'volume' "$CORRUPT"
	check name "${facts[name]-}" 'name' "$CORRUPT"
	check base "${facts[base]-}" 'base' "$CORRUPT"
	check uuid "${facts[snapshot]-}" 'snapshot' "$CORRUPT"
	check number "${facts[time]-}" 'time' "$CORRUPT"
	check number "${facts[volume_bytes]-}" 'size' "$CORRUPT"
}
