// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * delta-apply - write what a delta says changed onto a device that holds the delta's base.
 *
 *     delta-apply [--volume UUID] [--base UUID|none] [--resume SNAPSHOT:OFFSET]
 *                 [--progress QUICK --durable FILE] [--sums FILE] [--patience SECONDS]
 *                 [--old SNAPSHOT] [--framed] DEVICE <stream
 *     delta-apply --dry-run [--volume UUID] [--base UUID|none] [--old SNAPSHOT] [DEVICE] <stream
 *
 * The base is what the device holds; without --base nothing but a full delta is taken.  The
 * header is checked before anything is written, and each segment, whole, before any of it is.  A
 * full delta writes only what differs from what is there, so that it does not fill the snapshot
 * store behind the device with chunks that stay the same.  --dry-run verifies the whole stream
 * and writes nothing; with a DEVICE it also says, for a full delta, how much of it differs.
 *
 * --old names the device of a snapshot of the base, for differences (csrc/lib/delta_read.h has why it cannot be DEVICE):
 * a delta that may hold some (mode=xor) is refused without.
 *
 * --progress and --durable name the files that tell how far it came (csrc/lib/progress.h), also when the stream was cut.
 * --sums names the file where a check sum of each block that is new is recorded (csrc/lib/sums.h).
 *
 * With the facts of progress, --resume takes a stream that goes on there, made of the same snapshot; without it only one that begins
 * at the beginning.
 *
 * --framed: the stream is in pieces, and what follows its end is left to others (csrc/lib/frame.h).
 *
 * The stream comes from another host: once the device and the files are open this process gives up its rights (csrc/lib/confine.h).
 *
 * Prints the facts of the delta and the totals, key=value a line, when all is on disk: exit 0.
 * --patience ends a stream of which, for so long, next to nothing comes; where all is zero or as it was, a sender has nothing
 * to send, and is given the time to read the volume as well.
 *
 * 6: the delta was made on another base, or goes on elsewhere; 7: the stream is cut or wrong;
 * 3: DEVICE is in use; 4: it does not exist; 2: usage; 1: anything else.  After 6, and for a wrong
 * volume or size, DEVICE is untouched; after 7 and any failed write it holds a mix, which whoever
 * keeps the state before (a snapshot) has to roll back, or the rest of the delta makes whole.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "confine.h"
#include "delta_queue.h"
#include "delta_read.h"
#include "delta_relay.h"
#include "exits.h"
#include "io.h"
#include "progress.h"
#include "sums.h"

enum {
	PIECE_BYTES = 1 << 20,		/* compared, or zeroed, at once */
	SCAN_BYTES_MS = 32 << 10,	/* a sender reads at least so much in a ms: 32 MiB/s */
};

struct options {
	const char *volume;
	const char *base;
	char snapshot[UUID_TEXT];	/* whose rest is to come, from … */
	uint64_t resume;		/* … here on; 0: all of any */
	uint64_t patience;		/* seconds, 0 for ever */
	const char *quick, *durable;	/* progress */
	const char *old;
	const char *sums;
	const char *device;
	bool framed;
	bool dry_run;
};

struct replica {
	int fd;				/* -1: only the stream is looked at */
	uint64_t bytes;
	struct delta_queue queue;
	bool dry_run;
	bool full;
	uint64_t cursor;		/* full: what is before it is done */
	uint64_t written_bytes;
	struct progress progress;
	struct sums sums;
	uint8_t *old;			/* a piece of what the device holds */
	uint8_t *zeros;
};

/* Writing. */

/* The bytes must stay until the writes have been waited for, and no two of those may overlap. */
static void put(struct replica *replica, const uint8_t *bytes, size_t length, uint64_t offset)
{
	replica->written_bytes += length;
	if (!replica->dry_run)
		delta_queue_add(&replica->queue, true, (void *)bytes, length, offset);
}

/* The blocks of a piece that are not what the device holds, in runs. */
static int put_changed(struct replica *replica, const uint8_t *bytes, size_t length,
		       uint64_t offset)
{
	size_t at = 0, end, n;
	int r;

	r = io_pread(replica->fd, replica->old, length, offset);
	if (r < 0 || memcmp(replica->old, bytes, length) == 0)
		return r;
	while (at < length) {
		for (end = at; end < length; end += n) {
			n = length - end < DELTA_BLOCK ? length - end : DELTA_BLOCK;
			if (memcmp(replica->old + end, bytes + end, n) == 0)
				break;
		}
		if (end > at)
			put(replica, bytes + at, end - at, offset + at);
		at = end + DELTA_BLOCK;
	}
	return 0;
}

/* @bytes, or zeros where there are none. */
static int put_range(struct replica *replica, const uint8_t *bytes, uint64_t length,
		     uint64_t offset)
{
	int r = 0;

	while (length > 0 && r == 0) {
		size_t n = length < PIECE_BYTES ? (size_t)length : PIECE_BYTES;
		const uint8_t *piece = bytes ? bytes : replica->zeros;

		if (replica->full)
			r = put_changed(replica, piece, n, offset);
		else
			put(replica, piece, n, offset);
		if (bytes)
			bytes += n;
		offset += n;
		length -= n;
	}
	return r;
}

/* In a full delta, what no segment mentions is zero. */
static int put_hole(struct replica *replica, uint64_t end)
{
	uint64_t start = replica->cursor;

	replica->cursor = end;
	return replica->full ? put_range(replica, NULL, end - start, start) : 0;
}

/* The first failure: of @r, or of what was written meanwhile. */
static int put_wait(struct replica *replica, int r)
{
	int waited = delta_queue_wait(&replica->queue);

	return r < 0 ? r : waited;
}

static int put_segment(struct replica *replica, const struct delta_segment *seg)
{
	const uint8_t *packed = seg->buffer;
	unsigned int i;
	int r = 0;

	for (i = 0; i < seg->data_count && r == 0; i++) {
		r = put_hole(replica, seg->data[i].offset);
		if (r == 0)
			r = put_range(replica, packed, seg->data[i].length, seg->data[i].offset);
		packed += seg->data[i].length;
		replica->cursor = seg->data[i].offset + seg->data[i].length;
	}
	for (i = 0; i < seg->zero_count && r == 0; i++)
		r = put_range(replica, NULL, seg->zero[i].length, seg->zero[i].offset);
	return put_wait(replica, r);
}

static int replica_prepare(struct replica *replica, const struct delta_facts *facts)
{
	replica->full = delta_is_full(facts);
	replica->cursor = facts->resume;
	delta_queue_open(&replica->queue, replica->fd);
	replica->old = io_alloc(PIECE_BYTES);
	replica->zeros = io_alloc(PIECE_BYTES);
	return replica->old && replica->zeros ? 0 : -ENOMEM;
}

static int read_segment(void *in, struct delta_segment *seg)
{
	return delta_read_segment(in, seg);
}

/* *@written is false when it was the stream that failed. */
static int apply(struct delta_reader *in, struct replica *replica, bool *written)
{
	static struct delta_relay relay;
	struct delta_segment *seg;
	int r;

	r = delta_relay_start(&relay, read_segment, in);
	*written = r < 0;
	if (r < 0)
		return r;
	while ((r = delta_relay_next(&relay, &seg)) > 0) {
		r = replica->fd >= 0 ? put_segment(replica, seg) : 0;
		if (r == 0)
			r = sums_record(&replica->sums, seg);
		if (r == 0)
			r = progress_note(&replica->progress, delta_segment_end(seg));
		*written = r < 0;
		if (r < 0)
			return r;
	}
	if (r < 0) {
		progress_keep(&replica->progress);	/* as far as that can be: what is wrong is the stream */
		return r;
	}
	delta_relay_free(&relay);
	*written = true;
	if (replica->fd < 0)
		return 0;
	return put_wait(replica, put_hole(replica, in->facts.volume_bytes));
}

/* Checking. */

/* The other thread may be reading still: end without asking it. */
__attribute__((noreturn, format(printf, 2, 3)))
static void die(int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vwarnx(format, args);
	va_end(args);
	_exit(code);
}

__attribute__((noreturn))
static void die_stream(const struct delta_reader *in, int r)
{
	die(exit_code(r), "cannot use the stream: %s", in->fault[0] ? in->fault : reason(r));
}

static void check_facts(const struct delta_facts *facts, const struct options *options)
{
	if (options->volume && strcmp(options->volume, facts->volume) != 0)
		die(EXIT_FAILED, "cannot use the stream: it is of volume %s, not of %s",
		    facts->volume, options->volume);
	if (options->base && strcmp(options->base, facts->base) != 0)
		die(EXIT_LOST, "cannot use the stream: it was made on base %s, this replica "
		    "holds %s", facts->base, options->base);
	if (facts->resume != options->resume ||
	    (facts->resume > 0 && strcmp(facts->snapshot, options->snapshot) != 0))
		die(EXIT_LOST, "cannot use the stream: it goes on behind byte %" PRIu64 " of snapshot %s, "
		    "this replica is at another one", facts->resume, facts->snapshot);
}

static void open_device(struct replica *replica, const char *path)
{
	int r;

	/* O_EXCL: a device that is mounted or under another one is not ours to write. */
	replica->fd = io_open(path, replica->dry_run ? O_RDONLY : O_RDWR | O_EXCL);
	if (replica->fd < 0)
		die(exit_code(replica->fd), "cannot open '%s': %s", path, reason(replica->fd));
	r = io_size(replica->fd, &replica->bytes);
	if (r < 0)
		die(EXIT_FAILED, "cannot size '%s': %s", path, reason(r));
}

static void check_size(const struct replica *replica, const char *path, const struct delta_facts *facts)
{
	if (path && replica->bytes != facts->volume_bytes)
		die(EXIT_FAILED, "cannot apply to '%s': it has %" PRIu64 " bytes, the volume %"
		    PRIu64, path, replica->bytes, facts->volume_bytes);
}

static void open_old(struct delta_old *old, const char *path)
{
	int r = delta_old_open(old, path, DELTA_SEGMENT_BYTES);

	if (r < 0)
		die(exit_code(r), "cannot open '%s': %s", path, reason(r));
}

static int print_result(const struct delta_reader *in, const struct replica *replica)
{
	const struct delta_totals *totals = &in->totals;
	char text[DELTA_HEADER_TEXT];

	delta_facts_text(&in->facts, text);
	printf("%ssegments=%" PRIu64 "\nextents=%" PRIu64 "\ndata_bytes=%" PRIu64
	       "\nzero_bytes=%" PRIu64 "\nwritten_bytes=%" PRIu64 "\n", text, totals->segments,
	       totals->extents, totals->data_bytes, totals->zero_bytes, replica->written_bytes);
	return io_flush_stdout();
}

static void usage(void)
{
	errx(EXIT_USAGE, "usage: delta-apply [--volume UUID] [--base UUID|none] [--resume SNAPSHOT:OFFSET] "
	     "[--progress QUICK --durable FILE] [--sums FILE] [--patience SECONDS] [--old SNAPSHOT] "
	     "[--framed] DEVICE <stream, or "
	     "delta-apply --dry-run ... [DEVICE] <stream");
}

/* "SNAPSHOT:OFFSET" */
static bool parse_resume(const char *text, struct options *options)
{
	size_t length = strcspn(text, ":");

	if (length != UUID_TEXT - 1 || text[length] == '\0')
		return false;
	memcpy(options->snapshot, text, length);
	return is_uuid(options->snapshot) &&
	       num_u64(text + length + 1, UINT64_MAX, &options->resume) == 0;
}

static void parse(int argc, char **argv, struct options *options)
{
	static const struct option known[] = {
		{ "volume", required_argument, NULL, 'v' },
		{ "base", required_argument, NULL, 'b' },
		{ "resume", required_argument, NULL, 'r' },
		{ "progress", required_argument, NULL, 'p' },
		{ "durable", required_argument, NULL, 'd' },
		{ "patience", required_argument, NULL, 't' },
		{ "old", required_argument, NULL, 'o' },
		{ "framed", no_argument, NULL, 'f' },
		{ "sums", required_argument, NULL, 's' },
		{ "dry-run", no_argument, NULL, 'n' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (c == 'v' && is_uuid(optarg))
			options->volume = optarg;
		else if (c == 'b' && (is_uuid(optarg) || strcmp(optarg, "none") == 0))
			options->base = optarg;
		else if (c == 'r' && parse_resume(optarg, options))
			;
		else if (c == 't' && num_u64(optarg, 1000000, &options->patience) == 0)
			;
		else if (c == 'p')
			options->quick = optarg;
		else if (c == 'd')
			options->durable = optarg;
		else if (c == 'o')
			options->old = optarg;
		else if (c == 'f')
			options->framed = true;
		else if (c == 's')
			options->sums = optarg;
		else if (c == 'n')
			options->dry_run = true;
		else
			usage();
	}
	if (argc - optind != 1 && !(options->dry_run && argc == optind))
		usage();
	options->device = argv[optind];
	if (!options->quick != !options->durable || ((options->quick || options->sums) && options->dry_run))
		usage();
	if (!options->base && !options->dry_run)
		options->base = "none";
	if (isatty(STDIN_FILENO))
		errx(EXIT_USAGE, "the stream cannot come from a terminal");
}

static void open_sums(struct replica *replica, const struct options *options)
{
	int r = sums_open_new(&replica->sums, options->sums, O_WRONLY, replica->bytes, options->resume == 0);

	if (r < 0)
		die(exit_code(r), "cannot use '%s': %s", options->sums, reason(r));
}

/* Once all is open that is needed, and before the first byte of the stream is looked at. */
static void give_up_rights(struct replica *replica, struct delta_old *old, const struct options *options)
{
	int r;

	if (options->device)
		open_device(replica, options->device);
	if (options->old)
		open_old(old, options->old);
	r = progress_open(&replica->progress, options->quick, options->durable, options->resume == 0);
	if (r < 0)
		die(exit_code(r), "cannot open '%s': %s", options->durable, reason(r));
	if (options->sums)
		open_sums(replica, options);
	r = delta_read_limit(DELTA_READ_MEMORY);
	if (r == 0)
		r = confine();
	if (r < 0)
		die(exit_code(r), "cannot give up rights: %s", reason(r));
}

int main(int argc, char **argv)
{
	static struct delta_reader in;
	struct options options = { 0 };
	struct replica replica = { .fd = -1, .sums.fd = -1 };
	static struct frame_reader frame;
	static struct delta_old old;
	bool written;
	int r;

	parse(argc, argv, &options);
	replica.dry_run = options.dry_run;
	give_up_rights(&replica, &old, &options);
	r = delta_read_open_peer(&in, STDIN_FILENO, (int64_t)options.patience * 1000,
				 options.framed ? &frame : NULL);
	if (r < 0)
		die_stream(&in, r);
	check_facts(&in.facts, &options);
	check_size(&replica, options.device, &in.facts);
	if (in.facts.xor && !options.old)
		die(EXIT_USAGE, "cannot use the stream: it holds differences, which need --old");
	in.old = options.old ? &old : NULL;
	if (options.patience > 0)
		in.patience.limit_ms += (int64_t)(in.facts.volume_bytes / SCAN_BYTES_MS);
	r = replica_prepare(&replica, &in.facts);
	if (r < 0)
		die(exit_code(r), "cannot begin: %s", reason(r));
	progress_begin(&replica.progress, &in.facts, replica.fd, replica.sums.fd);

	r = apply(&in, &replica, &written);
	if (r == 0)
		r = sums_flush(&replica.sums);
	if (r < 0 && !written)
		die_stream(&in, r);
	delta_queue_close(&replica.queue);
	if (replica.fd >= 0)
		r = options.dry_run ? r : io_close_synced(replica.fd, r);
	if (r < 0)
		die(EXIT_FAILED, "cannot apply to '%s': %s", options.device, reason(r));
	r = print_result(&in, &replica);
	if (r < 0)
		die(EXIT_FAILED, "cannot print: %s", reason(r));
	delta_read_close(&in);
	if (in.old)
		delta_old_close(in.old);
	free(replica.old);
	free(replica.zeros);
	return EXIT_DONE;
}
