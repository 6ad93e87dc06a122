// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * delta-pack - write a delta: the changed ranges of a device, as a stream that says what it is.
 *
 *     delta-pack [--compress METHOD[:LEVEL]] [--threads N] [--old DEVICE [--compare yes|auto]]
 *                [--stats FD] [--progress FILE] [--framed] [--patience SECONDS] DEVICE <description >stream
 *     delta-pack --can METHOD
 *
 * The description is the facts, one key=value a line (volume, name, base, snapshot, time, kinds,
 * volume_bytes, chunk_bytes, must-resume where the reader has what is before that address, and
 * mode=xor where it takes differences), an empty line, then what changed, "FIRST COUNT" in chunks a
 * line, ascending, and last a line "end": a list whose writer died must not look like a short one.
 * A full delta has base=none and ranges that cover the volume.  The stream is described in
 * zumastor-delta(5).
 *
 * --old names a device with the content of the base: what is equal there is not sent, and what is
 * compressed may be sent as its difference (mode=xor).  With
 * --compare auto it is only read for as long as that pays (csrc/lib/delta_sort.h).
 *
 * --framed is for a connection that goes on behind the stream (csrc/lib/frame.h).  With --patience it is an error when
 * the reader takes nothing for that long.
 *
 * --stats writes what was done, key=value a line, to the open descriptor FD, --progress while it goes on to FILE
 * (csrc/lib/delta_meter.h).  --can only tells whether there is that compression: 5 where there is not.
 *
 * Exit 0: the whole stream was written.  7: the description is wrong or cut.  1: anything else;
 * 2: usage. After any failure the stream has no end, and no reader takes it for whole.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "delta_queue.h"
#include "delta_relay.h"
#include "delta_sort.h"
#include "delta_write.h"
#include "exits.h"
#include "io.h"

enum {
	LINE_TEXT = 64,
	THREADS_MAX = 16,
	FAILED_TEXT = 128,
	PATIENCE_MAX = 1 << 30,
};

/* The second half of the description: ranges, read as they are needed. */
struct ranges {
	uint64_t volume_bytes;
	uint64_t chunk_bytes;
	uint64_t chunks;
	uint64_t resume;		/* what is before this address is passed over */
	uint64_t floor;			/* first chunk that may come next */
	uint64_t covered;		/* chunks so far */
	uint64_t bytes;			/* the same, of what was read of the list … */
	uint64_t skipped;		/* … and of what is before @resume in it */
	uint64_t line;
	bool ended;
};

/* What the reading thread works with. */
struct source {
	const char *device;
	const char *old_device;
	int fd;
	struct ranges ranges;
	struct delta_extent rest;	/* of the current range, not read yet */
	struct delta_queue queue;
	struct delta_sorter sorter;
	struct delta_extent piece[DELTA_EXTENTS];	/* being read */
	uint8_t chain[DELTA_DIGEST];
	uint64_t read_bytes;
	char failed[FAILED_TEXT];	/* what could not be done, behind -errno */
};

struct options {
	struct delta_filter filter;
	const char *old;
	const char *progress;
	bool sampled;
	int stats;
	bool framed;
	unsigned int patience;
	const char *device;
};

/* The description. */

/* The facts, up to the empty line, into @text; -EBADMSG when there is too much or it is cut. */
static int read_facts(char text[DELTA_HEADER_TEXT], uint64_t *lines)
{
	size_t length = 0;

	while (fgets(text + length, (int)(DELTA_HEADER_TEXT - length), stdin)) {
		size_t n = strlen(text + length);

		if (n == 0 || text[length + n - 1] != '\n')
			return -EBADMSG;
		++*lines;
		if (n == 1) {
			text[length] = '\0';
			return 0;
		}
		length += n;
	}
	return ferror(stdin) ? -EIO : -EBADMSG;
}

/* Nothing may follow "end". */
static int ranges_end(struct ranges *ranges)
{
	if (getchar() != EOF || ferror(stdin))
		return -EBADMSG;
	ranges->ended = true;
	return 0;
}

static int ranges_check(struct ranges *ranges, uint64_t first, uint64_t count)
{
	uint64_t end;

	if (count == 0 || first < ranges->floor || __builtin_add_overflow(first, count, &end) ||
	    end > ranges->chunks)
		return -EBADMSG;
	ranges->floor = end;
	ranges->covered += count;
	return 0;
}

/* The next range, in bytes: 1, 0 behind the last, -EBADMSG. */
static int ranges_read(struct ranges *ranges, struct delta_extent *range)
{
	char line[LINE_TEXT], *space;
	uint64_t first, count, end;
	size_t length;

	if (ranges->ended)
		return 0;
	ranges->line++;
	if (!fgets(line, sizeof(line), stdin))
		return -EBADMSG;
	length = strlen(line);
	if (length == 0 || line[length - 1] != '\n')
		return -EBADMSG;
	line[length - 1] = '\0';
	if (strcmp(line, "end") == 0)
		return ranges_end(ranges);
	space = strchr(line, ' ');
	if (!space)
		return -EBADMSG;
	*space = '\0';
	if (num_u64(line, UINT64_MAX, &first) < 0 || num_u64(space + 1, UINT64_MAX, &count) < 0 ||
	    ranges_check(ranges, first, count) < 0)
		return -EBADMSG;
	end = (first + count) * ranges->chunk_bytes;
	if (end > ranges->volume_bytes)
		end = ranges->volume_bytes;	/* the last chunk may be a part of one */
	range->offset = first * ranges->chunk_bytes;
	range->length = end - range->offset;
	ranges->bytes += range->length;
	return 1;
}

/* The same, of what is to be sent. */
static int ranges_next(struct ranges *ranges, struct delta_extent *range)
{
	uint64_t passed;
	int r;

	do {
		r = ranges_read(ranges, range);
		if (r <= 0)
			return r;
		passed = range->offset < ranges->resume ? ranges->resume - range->offset : 0;
		if (passed > range->length)
			passed = range->length;
		ranges->skipped += passed;
		range->offset += passed;
		range->length -= passed;
	} while (range->length == 0);
	return 1;
}

/* Reading. */

/* The next piece to read, at most @most bytes: 1, 0 behind the last, -EBADMSG. */
static int next_piece(struct source *source, size_t most, struct delta_extent *piece)
{
	struct delta_extent *rest = &source->rest;
	int r;

	if (rest->length == 0) {
		r = ranges_next(&source->ranges, rest);
		if (r < 0)
			snprintf(source->failed, FAILED_TEXT, "cannot use line %" PRIu64
				 " of the description", source->ranges.line);
		if (r <= 0)
			return r;
	}
	piece->offset = rest->offset;
	piece->length = rest->length < most ? rest->length : most;
	rest->offset += piece->length;
	rest->length -= piece->length;
	return 1;
}

/* Ask for pieces, and for what they were, up to @most bytes; *@bytes and the count of them.  -EBADMSG. */
static int ask(struct source *source, const struct delta_segment *seg, size_t most, size_t *bytes)
{
	struct delta_sorter *sorter = &source->sorter;
	unsigned int count;
	int r;

	for (count = 0; *bytes < most; count++) {
		struct delta_extent *piece = &source->piece[count];
		size_t at = seg->bytes + *bytes;

		r = next_piece(source, most - *bytes, piece);
		if (r < 0)
			return r;
		if (r == 0)
			break;
		delta_queue_add(&source->queue, false, seg->buffer + at, piece->length, piece->offset);
		if (sorter->comparing)
			delta_old_read(sorter->old, at, piece->length, piece->offset);
		*bytes += piece->length;
	}
	return (int)count;
}

/* All that was asked for is there: @r, or what failed. */
static int wait_all(struct source *source, int r)
{
	int waited = delta_queue_wait(&source->queue), old = 0;

	if (source->sorter.old)
		old = delta_old_wait(source->sorter.old);
	if (r < 0)
		return r;
	if (waited < 0)
		snprintf(source->failed, FAILED_TEXT, "cannot read '%.96s'", source->device);
	else if (old < 0)
		snprintf(source->failed, FAILED_TEXT, "cannot read '%.96s'", source->old_device);
	return waited < 0 ? waited : old < 0 ? old : r;
}

/*
 * Fill the room of a segment with pieces, read all at once.  Returns 1; 0 when there was too little
 * room or nothing left; -errno.
 */
static int source_more(struct source *source, struct delta_segment *seg)
{
	size_t most = delta_sort_room(&source->sorter, seg), bytes = 0;
	uint8_t *from = seg->buffer + seg->bytes;
	int count, i;

	count = wait_all(source, ask(source, seg, most, &bytes));
	if (count < 0)
		return count;
	source->read_bytes += bytes;
	for (i = 0; i < count; i++) {
		delta_sort_piece(&source->sorter, seg, &source->piece[i], from);
		from += source->piece[i].length;
	}
	return bytes > 0;
}

/* delta_fill: the next segment, already in the chain. */
static int source_fill(void *arg, struct delta_segment *seg)
{
	struct source *source = arg;
	int r;

	delta_segment_clear(seg);
	delta_sort_begin(&source->sorter);
	do
		r = source_more(source, seg);
	while (r > 0);
	if (r < 0)
		return r;
	seg->passed = source->ranges.bytes - source->rest.length;
	if (seg->data_count + seg->zero_count > 0) {
		seg->offset = delta_segment_first(seg);
		delta_chain_add(source->chain, seg);
		delta_sort_end(&source->sorter, seg);
		return 1;
	}
	delta_sort_end(&source->sorter, seg);
	if (source->sorter.full && source->ranges.covered != source->ranges.chunks) {
		snprintf(source->failed, FAILED_TEXT, "cannot use the ranges of a full delta, %"
			 PRIu64 " of %" PRIu64 " chunks", source->ranges.covered,
			 source->ranges.chunks);
		return -EBADMSG;
	}
	return 0;
}

/* Writing. */

/* The next segment, as delta_relay_next(). */
static int next_segment(struct delta_relay *relay, struct delta_meter *meter, struct delta_segment **seg)
{
	int64_t begun = clock_us();
	int r = delta_relay_next(relay, seg);

	meter->read_us += clock_us() - begun;
	return r;
}

/* *@failed is changed when it was the reading that failed. */
static int write_segments(struct delta_writer *out, struct source *source, struct delta_meter *meter,
			  const char **failed)
{
	static struct delta_relay relay;
	struct delta_segment *seg;
	int r;

	memcpy(source->chain, out->chain, DELTA_DIGEST);
	r = delta_relay_start(&relay, source_fill, source);
	if (r < 0)
		return r;
	out->meter = meter;
	while ((r = next_segment(&relay, meter, &seg)) > 0) {
		r = delta_write_segment(out, seg);
		if (r < 0)
			return r;
		meter->done_bytes = seg->passed;
		meter->skipped_bytes = source->ranges.skipped;	/* all before the first segment */
	}
	if (r < 0)
		*failed = source->failed;
	else
		delta_relay_free(&relay);
	return r;
}

static int write_stats(int fd, const struct delta_writer *out, const struct source *source)
{
	const struct delta_totals *totals = &out->totals;
	const struct delta_meter *meter = out->meter;

	if (fd < 0)
		return 0;
	if (dprintf(fd, "segments=%" PRIu64 "\nextents=%" PRIu64 "\ndata_bytes=%" PRIu64
		    "\nzero_bytes=%" PRIu64 "\nread_bytes=%" PRIu64 "\ncompared_bytes=%" PRIu64
		    "\nequal_bytes=%" PRIu64 "\nxor_bytes=%" PRIu64 "\nstream_bytes=%" PRIu64
		    "\ntotal_ms=%" PRId64 "\nread_ms=%" PRId64 "\nwrite_ms=%" PRId64 "\n",
		    totals->segments, totals->extents, totals->data_bytes, totals->zero_bytes,
		    source->read_bytes, source->sorter.compared_bytes, source->sorter.equal_bytes,
		    source->sorter.xor_bytes, out->stream_bytes, (clock_us() - meter->begun_us) / 1000,
		    meter->read_us / 1000, meter->write_us / 1000) < 0)
		return -errno;
	return close(fd) < 0 ? -errno : 0;
}

/* The other thread may be reading still: end without asking it, the stream unfinished. */
__attribute__((noreturn))
static void die(int r, const char *failed)
{
	warnx("%s: %s", failed, reason(r));
	_exit(exit_code(r));
}

static void read_description(struct source *source, struct delta_facts *facts)
{
	struct ranges *ranges = &source->ranges;
	char text[DELTA_HEADER_TEXT];
	const char *wrong = "the facts";
	int r = read_facts(text, &ranges->line);

	if (r == 0)
		r = delta_facts_parse(facts, text, true, &wrong);
	if (r < 0)
		errx(exit_code(r), "cannot use '%s' of the description: %s", wrong, reason(r));
	source->sorter.full = delta_is_full(facts);
	ranges->volume_bytes = facts->volume_bytes;
	ranges->chunk_bytes = facts->chunk_bytes;
	ranges->resume = facts->resume;
	ranges->chunks = (facts->volume_bytes - 1) / facts->chunk_bytes + 1;
}

static void open_device(struct source *source, const char *path, uint64_t volume_bytes)
{
	uint64_t bytes;
	int r;

	source->device = path;
	source->fd = io_open(path, O_RDONLY);
	if (source->fd < 0)
		errx(exit_code(source->fd), "cannot open '%s': %s", path, reason(source->fd));
	r = io_size(source->fd, &bytes);
	if (r < 0)
		errx(EXIT_FAILED, "cannot size '%s': %s", path, reason(r));
	if (bytes < volume_bytes)
		errx(EXIT_FAILED, "cannot read '%s': it has %" PRIu64 " bytes, the volume %" PRIu64,
		     path, bytes, volume_bytes);
	delta_queue_open(&source->queue, source->fd);
}

/* What a full delta is made on is nothing. */
static void open_old(struct source *source, const struct options *options)
{
	static struct delta_old old;
	int r;

	if (!options->old || source->sorter.full)
		return;
	source->old_device = options->old;
	r = delta_old_open(&old, options->old, DELTA_WRITTEN_BYTES);
	if (r < 0)
		errx(exit_code(r), "cannot open '%s': %s", options->old, reason(r));
	source->sorter.old = &old;
	source->sorter.always = !options->sampled;
}

/* SIGALRM: the reader is there and takes nothing.  What it has must look cut. */
static void give_up(int signal)
{
	static const char text[] = "delta-pack: nothing of the stream is taken any more\n";

	(void)signal;
	(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
	_exit(EXIT_FAILED);
}

static void usage(void)
{
	errx(EXIT_USAGE, "usage: delta-pack [--compress none|gzip|lz4|zstd|xz[:LEVEL]] [--threads N] "
	     "[--old DEVICE [--compare yes|auto]] [--stats FD] [--progress FILE] [--framed] [--patience SECONDS] DEVICE <description >stream, "
	     "or --can METHOD[:LEVEL]");
}

static bool parse_compare(const char *text, struct options *options)
{
	options->sampled = strcmp(text, "auto") == 0;
	return options->sampled || strcmp(text, "yes") == 0;
}

static void parse(int argc, char **argv, struct options *options)
{
	static const struct option known[] = {
		{ "compress", required_argument, NULL, 'c' },
		{ "threads", required_argument, NULL, 't' },
		{ "old", required_argument, NULL, 'o' },
		{ "compare", required_argument, NULL, 'm' },
		{ "stats", required_argument, NULL, 's' },
		{ "framed", no_argument, NULL, 'f' },
		{ "progress", required_argument, NULL, 'p' },
		{ "patience", required_argument, NULL, 'w' },
		{ NULL, 0, NULL, 0 },
	};
	uint64_t number, threads = 0;
	int c;

	delta_filter_parse("zstd", &options->filter);
	opterr = 0;
	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (c == 'c' && delta_filter_parse(optarg, &options->filter) == 0)
			continue;
		if (c == 't' && num_u64(optarg, THREADS_MAX, &threads) == 0 && threads > 0)
			continue;
		if (c == 'm' && parse_compare(optarg, options))
			continue;
		if (c == 'o')
			options->old = optarg;
		else if (c == 'f')
			options->framed = true;
		else if (c == 'p')
			options->progress = optarg;
		else if (c == 's' && num_u64(optarg, 1023, &number) == 0 && number > 2)
			options->stats = (int)number;
		else if (c == 'w' && num_u64(optarg, PATIENCE_MAX, &number) == 0)
			options->patience = (unsigned int)number;
		else
			usage();
	}
	if (argc - optind != 1)
		usage();
	if (threads > 0)
		options->filter.threads = (unsigned int)threads;
	options->device = argv[optind];
	if (isatty(STDIN_FILENO) || isatty(STDOUT_FILENO))
		errx(EXIT_USAGE, "neither input nor output can be a terminal");
}

static int can(const char *method)
{
	struct delta_filter filter;

	return delta_filter_parse(method, &filter) < 0 ? EXIT_USAGE : exit_code(delta_filter_check(&filter));
}

int main(int argc, char **argv)
{
	static struct delta_writer out;
	static struct delta_meter meter;
	static struct source source;
	struct options options = { .stats = -1 };
	const char *failed = "cannot write the stream";
	struct delta_facts facts;
	int r;

	if (argc == 3 && strcmp(argv[1], "--can") == 0)
		return can(argv[2]);
	parse(argc, argv, &options);
	signal(SIGPIPE, SIG_IGN);	/* a reader that is gone is an error with a name */
	signal(SIGALRM, give_up);
	read_description(&source, &facts);
	open_device(&source, options.device, facts.volume_bytes);
	open_old(&source, &options);
	/* It is the compression that makes differences small. */
	facts.xor = facts.xor && source.sorter.old && strcmp(options.filter.method, "none") != 0;
	source.sorter.xor = facts.xor;

	delta_meter_start(&meter, options.progress);
	r = delta_write_open(&out, STDOUT_FILENO, options.framed, &options.filter, &facts);
	out.patience = options.patience;
	if (r == 0)
		r = write_segments(&out, &source, &meter, &failed);
	if (r == 0)
		r = delta_write_finish(&out);
	if (r == 0)
		r = io_close_stream(STDOUT_FILENO);
	if (r < 0)
		die(r, failed);
	r = write_stats(options.stats, &out, &source);
	if (r < 0)
		die(r, "cannot write the statistics");
	delta_queue_close(&source.queue);
	close(source.fd);
	if (source.sorter.old)
		delta_old_close(source.sorter.old);
	return EXIT_DONE;
}
