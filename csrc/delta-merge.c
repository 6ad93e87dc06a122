// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * delta-merge - make one delta of several that follow one another.
 *
 *     delta-merge [--compress METHOD[:LEVEL]] [--threads N] FILE FILE... >stream
 *
 * Each must have the snapshot of the one before as its base; the first may be full, and then the result is.  Where two
 * say what a byte is, the later one counts.  All are read once, side by side, so memory is one segment of each and what
 * undoes its compression, and every digest is verified.  Once the files are open this process gives up its rights
 * (csrc/lib/confine.h).
 *
 * Exit 0: the whole stream was written.  6: they do not follow one another; 7: one of them is cut or wrong; 4: it does
 * not exist; 2: usage; 1: anything else.  After any failure the stream has no end, and no reader takes it for whole.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "confine.h"
#include "delta_read.h"
#include "delta_write.h"
#include "exits.h"
#include "io.h"

enum {
	INPUTS_MAX = 64,
	THREADS_MAX = 16,
	THREAD_MEMORY = 160,		/* MiB: the most that a level takes to compress in one */
};

struct input {
	const char *path;
	int fd;
	struct delta_reader reader;
	struct delta_segment *seg;
	unsigned int data, zero;	/* extents of it that come next */
	const uint8_t *packed;		/* the bytes of those */
	struct delta_extent at;		/* what comes next, and nothing of it has been passed … */
	const uint8_t *bytes;		/* … its content, NULL for zeros */
	bool ended;
};

struct output {
	struct delta_writer writer;
	struct delta_facts facts;
	struct delta_segment *seg;	/* being filled */
	uint8_t chain[DELTA_DIGEST];
	uint64_t floor;			/* end of what was written */
};

struct merge {
	struct input input[INPUTS_MAX];		/* the oldest first */
	unsigned int count;
	struct output out;
	const struct input *failed;	/* the one that cannot be read */
};

/* Reading. */

/* The next extent of the segment, whichever list it is in. */
static void take_extent(struct input *in)
{
	const struct delta_segment *seg = in->seg;
	bool zero = in->data == seg->data_count ||
		    (in->zero < seg->zero_count &&
		     seg->zero[in->zero].offset < seg->data[in->data].offset);

	if (zero) {
		in->at = seg->zero[in->zero++];
		in->bytes = NULL;
	} else {
		in->at = seg->data[in->data++];
		in->bytes = in->packed;
		in->packed += in->at.length;
	}
}

/* 0 with the next extent, or none: in->ended. */
static int input_next(struct input *in)
{
	int r = 1;

	if (in->data == in->seg->data_count && in->zero == in->seg->zero_count) {
		r = delta_read_segment(&in->reader, in->seg);
		in->data = 0;
		in->zero = 0;
		in->packed = in->seg->buffer;
		in->ended = r == 0;
	}
	if (r > 0)
		take_extent(in);
	return r < 0 ? r : 0;
}

/* Pass over all before @end. */
static int input_pass(struct input *in, uint64_t end)
{
	uint64_t n;
	int r = 0;

	while (r == 0 && !in->ended && in->at.offset + in->at.length <= end)
		r = input_next(in);
	if (r == 0 && !in->ended && in->at.offset < end) {
		n = end - in->at.offset;
		in->at.offset += n;
		in->at.length -= n;
		if (in->bytes)
			in->bytes += n;
	}
	return r;
}

/* Writing. */

static int flush(struct output *out)
{
	struct delta_segment *seg = out->seg;
	int r;

	if (seg->data_count + seg->zero_count == 0)
		return 0;
	seg->offset = delta_segment_first(seg);
	r = delta_segment_check(seg, &out->facts, out->floor);
	if (r < 0)
		return r;
	delta_chain_add(out->chain, seg);
	out->floor = delta_segment_end(seg);
	r = delta_write_segment(&out->writer, seg);
	delta_segment_clear(seg);
	return r;
}

static bool is_filled(const struct delta_segment *seg)
{
	return seg->bytes == DELTA_WRITTEN_BYTES || seg->data_count == DELTA_EXTENTS ||
	       seg->zero_count == DELTA_EXTENTS;
}

static int put_data(struct output *out, const struct delta_extent *extent, const uint8_t *bytes)
{
	struct delta_segment *seg = out->seg;
	uint64_t done, n;
	int r = 0;

	for (done = 0; done < extent->length && r == 0; done += n) {
		n = DELTA_WRITTEN_BYTES - seg->bytes;
		if (n > extent->length - done)
			n = extent->length - done;
		memcpy(seg->buffer + seg->bytes, bytes + done, n);
		seg->bytes += n;
		delta_extent_add(seg->data, &seg->data_count, extent->offset + done, n);
		if (is_filled(seg))
			r = flush(out);
	}
	return r;
}

/* In a full delta what is not data is zero, and needs no list. */
static int put_zeros(struct output *out, const struct delta_extent *extent)
{
	struct delta_segment *seg = out->seg;

	if (delta_is_full(&out->facts))
		return 0;
	delta_extent_add(seg->zero, &seg->zero_count, extent->offset, extent->length);
	return is_filled(seg) ? flush(out) : 0;
}

/* Merging. */

/* The one that says what comes next, and how far nobody later says anything else; NULL behind the last. */
static const struct input *find_next(const struct merge *merge, struct delta_extent *extent)
{
	const struct input *next = NULL;
	unsigned int i, from = 0;
	uint64_t end;

	for (i = 0; i < merge->count; i++) {
		const struct input *in = &merge->input[i];

		if (!in->ended && (!next || in->at.offset <= next->at.offset)) {
			next = in;
			from = i + 1;
		}
	}
	if (!next)
		return NULL;
	end = next->at.offset + next->at.length;
	for (i = from; i < merge->count; i++) {
		const struct input *in = &merge->input[i];

		if (!in->ended && in->at.offset < end)
			end = in->at.offset;
	}
	*extent = (struct delta_extent){ next->at.offset, end - next->at.offset };
	return next;
}

static int pass_all(struct merge *merge, uint64_t end)
{
	unsigned int i;
	int r;

	for (i = 0; i < merge->count; i++) {
		r = input_pass(&merge->input[i], end);
		if (r < 0) {
			merge->failed = &merge->input[i];
			return r;
		}
	}
	return 0;
}

static int merge_all(struct merge *merge)
{
	const struct input *next;
	struct delta_extent extent;
	int r;

	r = pass_all(merge, 0);
	while (r == 0 && (next = find_next(merge, &extent))) {
		r = next->bytes ? put_data(&merge->out, &extent, next->bytes) :
				  put_zeros(&merge->out, &extent);
		if (r == 0)
			r = pass_all(merge, extent.offset + extent.length);
	}
	return r < 0 ? r : flush(&merge->out);
}

/* Opening. */

__attribute__((noreturn))
static void die_input(const struct input *in, int r)
{
	errx(exit_code(r), "cannot use '%s': %s", in->path,
	     in->reader.fault[0] ? in->reader.fault : reason(r));
}

static void input_open(struct input *in, const char *path)
{
	in->path = path;
	in->seg = delta_segment_new();
	if (!in->seg)
		errx(EXIT_FAILED, "cannot begin: %s", reason(-ENOMEM));
	in->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (in->fd < 0)
		err(exit_code(-errno), "cannot open '%s'", path);
}

/* @in is what follows @before, or the first. */
static void check_follows(const struct input *in, const struct input *before)
{
	const struct delta_facts *facts = &in->reader.facts, *old;

	if (facts->resume > 0)
		errx(EXIT_LOST, "cannot merge '%s': it is the rest of a stream that was cut", in->path);
	if (facts->xor)
		errx(EXIT_FAILED, "cannot merge '%s': it holds differences, which only its base makes whole", in->path);
	if (!before)
		return;
	old = &before->reader.facts;
	if (strcmp(facts->volume, old->volume) != 0)
		errx(EXIT_FAILED, "cannot merge '%s': it is of volume %s, '%s' of %s", in->path,
		     facts->volume, before->path, old->volume);
	if (strcmp(facts->base, old->snapshot) != 0)
		errx(EXIT_LOST, "cannot merge '%s': its base is %s, '%s' is snapshot %s", in->path,
		     facts->base, before->path, old->snapshot);
	if (facts->volume_bytes < old->volume_bytes)
		errx(EXIT_FAILED, "cannot merge '%s': it is of a smaller volume than '%s'", in->path,
		     before->path);
}

/* Archives come from anywhere: nothing of one is looked at before this process has given up its rights. */
static void open_all(struct merge *merge, char **paths, unsigned int threads)
{
	unsigned int i;
	int r;

	for (i = 0; i < merge->count; i++)
		input_open(&merge->input[i], paths[i]);
	r = delta_read_limit(DELTA_READ_MEMORY * merge->count + THREAD_MEMORY * (threads + 1));
	if (r == 0)
		r = confine();
	if (r < 0)
		errx(exit_code(r), "cannot give up rights: %s", reason(r));
}

static void read_headers(struct merge *merge)
{
	unsigned int i;
	int r;

	for (i = 0; i < merge->count; i++) {
		r = delta_read_open(&merge->input[i].reader, merge->input[i].fd);
		if (r < 0)
			die_input(&merge->input[i], r);
		check_follows(&merge->input[i], i > 0 ? &merge->input[i - 1] : NULL);
	}
	merge->out.facts = merge->input[merge->count - 1].reader.facts;
	strcpy(merge->out.facts.base, merge->input[0].reader.facts.base);
	merge->out.seg = delta_segment_new();
	if (!merge->out.seg)
		errx(EXIT_FAILED, "cannot begin: %s", reason(-ENOMEM));
}

static void close_all(struct merge *merge)
{
	unsigned int i;

	for (i = 0; i < merge->count; i++) {
		delta_read_close(&merge->input[i].reader);
		close(merge->input[i].fd);
		delta_segment_free(merge->input[i].seg);
	}
	delta_segment_free(merge->out.seg);
}

static void usage(void)
{
	errx(EXIT_USAGE, "usage: delta-merge [--compress none|gzip|lz4|zstd|xz[:LEVEL]] "
	     "[--threads N] FILE FILE... >stream, 64 files at most");
}

static void parse(int argc, char **argv, struct delta_filter *filter)
{
	static const struct option known[] = {
		{ "compress", required_argument, NULL, 'c' },
		{ "threads", required_argument, NULL, 't' },
		{ NULL, 0, NULL, 0 },
	};
	uint64_t threads = 0;
	int c;

	delta_filter_parse("zstd", filter);
	opterr = 0;
	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (c == 'c' && delta_filter_parse(optarg, filter) == 0)
			continue;
		if (c == 't' && num_u64(optarg, THREADS_MAX, &threads) == 0 && threads > 0)
			continue;
		usage();
	}
	if (argc - optind < 2 || argc - optind > INPUTS_MAX)
		usage();
	if (threads > 0)
		filter->threads = (unsigned int)threads;
	if (isatty(STDOUT_FILENO))
		errx(EXIT_USAGE, "the stream cannot go to a terminal");
}

int main(int argc, char **argv)
{
	static struct merge merge;
	struct output *out = &merge.out;
	struct delta_filter filter;
	int r;

	parse(argc, argv, &filter);
	signal(SIGPIPE, SIG_IGN);	/* a reader that is gone is an error with a name */
	merge.count = (unsigned int)(argc - optind);
	open_all(&merge, argv + optind, filter.threads);
	read_headers(&merge);

	r = delta_write_open(&out->writer, STDOUT_FILENO, false, &filter, &out->facts);
	memcpy(out->chain, out->writer.chain, DELTA_DIGEST);
	if (r == 0)
		r = merge_all(&merge);
	if (merge.failed)
		die_input(merge.failed, r);
	if (r == 0)
		r = delta_write_finish(&out->writer);
	if (r == 0)
		r = io_close_stream(STDOUT_FILENO);
	if (r < 0)
		errx(exit_code(r), "cannot write the stream: %s", reason(r));
	close_all(&merge);
	return EXIT_DONE;
}
