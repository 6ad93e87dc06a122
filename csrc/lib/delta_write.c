// SPDX-License-Identifier: GPL-2.0-or-later
/* delta_write.c - see delta_write.h. */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "clock.h"
#include "delta_write.h"
#include "frame.h"

enum {
	HOLE_BYTES = 1 << 30,		/* libarchive clips what it is fed to INT_MAX */
	TAR_BLOCK = 64 << 10,		/* what a pipe takes at once */
	LZ4_BLOCK = 4,			/* 64 KiB: a cut loses what of a block has come, 4 MiB if lz4 may choose */
};

static const struct method {
	const char *name;
	unsigned int level_min;
	unsigned int level_max;
	unsigned int level;
	unsigned int threads;		/* 0: the method has none */
	int (*add)(struct archive *tar);
} methods[] = {
	{ "none", 0, 0, 0, 0, archive_write_add_filter_none },
	{ "gzip", 1, 9, 1, 0, archive_write_add_filter_gzip },
	{ "lz4", 1, 9, 1, 0, archive_write_add_filter_lz4 },
	{ "zstd", 1, 19, 1, 1, archive_write_add_filter_zstd },
	{ "xz", 0, 6, 1, 2, archive_write_add_filter_xz },
};

static const struct method *method_find(const char *name, size_t length)
{
	size_t i;

	for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		const char *known = methods[i].name;

		if (strlen(known) == length && strncmp(known, name, length) == 0)
			return &methods[i];
	}
	return NULL;
}

int delta_filter_parse(const char *text, struct delta_filter *filter)
{
	size_t length = strcspn(text, ":");
	const struct method *method = method_find(text, length);
	uint64_t level;

	if (!method)
		return -EINVAL;
	filter->method = method->name;
	filter->level = method->level;
	filter->threads = method->threads;
	if (text[length] == '\0')
		return 0;
	if (num_u64(text + length + 1, method->level_max, &level) < 0 || level < method->level_min)
		return -EINVAL;
	filter->level = (unsigned int)level;
	return 0;
}

/* libarchive's error number is ours, the system's, or nothing in particular. */
static int tar_error(struct archive *tar)
{
	int error = archive_errno(tar);

	return error > 0 ? -error : -EIO;
}

static int set_option(struct archive *tar, const char *method, const char *key, unsigned int value)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", value);
	if (archive_write_set_filter_option(tar, method, key, text) != ARCHIVE_OK)
		return -EOPNOTSUPP;
	return 0;
}

/* A filter that libarchive would run as another program does not count. */
static int add_filter(struct archive *tar, const struct delta_filter *filter)
{
	const struct method *method = method_find(filter->method, strlen(filter->method));
	int r;

	if (method->add(tar) != ARCHIVE_OK)
		return -EOPNOTSUPP;
	if (method->level_max == 0)
		return 0;
	r = set_option(tar, method->name, "compression-level", filter->level);
	if (r == 0 && method->threads > 0 && filter->threads > 1)
		r = set_option(tar, method->name, "threads", filter->threads);
	if (r == 0 && method->add == archive_write_add_filter_lz4)
		r = set_option(tar, method->name, "block-size", LZ4_BLOCK);
	return r;
}

int delta_filter_check(const struct delta_filter *filter)
{
	struct archive *tar = archive_write_new();
	int r = tar ? add_filter(tar, filter) : -ENOMEM;

	if (tar)
		archive_write_free(tar);
	return r;
}

static void start_entry(struct delta_writer *out, const char *name, uint64_t offset,
			uint64_t size)
{
	char path[64];

	archive_entry_clear(out->entry);
	if (name[strlen(name) - 1] == '/')
		snprintf(path, sizeof(path), "%s%016" PRIx64, name, offset);
	else
		snprintf(path, sizeof(path), "%s", name);
	archive_entry_set_pathname(out->entry, path);
	archive_entry_set_filetype(out->entry, AE_IFREG);
	archive_entry_set_perm(out->entry, 0600);
	archive_entry_set_mtime(out->entry, (time_t)out->time, 0);
	/* Before the map: libarchive drops extents behind the end, without a word. */
	archive_entry_set_size(out->entry, (la_int64_t)size);
}

static int put_bytes(struct delta_writer *out, const void *bytes, size_t length)
{
	const uint8_t *at = bytes;

	while (length > 0) {
		la_ssize_t n = archive_write_data(out->tar, at, length);

		if (n < 0)
			return tar_error(out->tar);
		if (n == 0)
			return -EIO;	/* more than the entry's size: it would be lost */
		at += n;
		length -= (size_t)n;
	}
	return 0;
}

/* A hole must be fed like data, but libarchive only counts it. */
static int put_hole(struct delta_writer *out, uint64_t length)
{
	int r = 0;

	while (length > 0 && r == 0) {
		size_t n = length < HOLE_BYTES ? (size_t)length : HOLE_BYTES;

		r = put_bytes(out, out->hole, n);
		length -= n;
	}
	return r;
}

static int put_text(struct delta_writer *out, const char *name, uint64_t offset, const char *text,
		    size_t length)
{
	start_entry(out, name, offset, length);
	if (archive_write_header(out->tar, out->entry) != ARCHIVE_OK)
		return tar_error(out->tar);
	return put_bytes(out, text, length);
}

/* One extent from the first byte to the last is no map: libarchive writes a plain file. */
static int map_extents(struct delta_writer *out, const struct delta_segment *seg)
{
	bool plain = seg->data_count == 1 && seg->data[0].offset == seg->offset;
	unsigned int i;

	for (i = 0; i < seg->data_count; i++) {
		uint64_t at = seg->data[i].offset - seg->offset;

		archive_entry_sparse_add_entry(out->entry, (la_int64_t)at,
					       (la_int64_t)seg->data[i].length);
	}
	/* It drops extents without memory, too: an extent lost here would be a chunk lost. */
	if (archive_entry_sparse_count(out->entry) != (plain ? 0 : (int)seg->data_count))
		return -EIO;
	return 0;
}

static int put_data(struct delta_writer *out, const struct delta_segment *seg)
{
	const struct delta_extent *last = &seg->data[seg->data_count - 1];
	const uint8_t *packed = seg->buffer;
	uint64_t at = seg->offset;
	unsigned int i;
	int r;

	start_entry(out, DELTA_DATA, seg->offset, last->offset + last->length - seg->offset);
	r = map_extents(out, seg);
	if (r < 0)
		return r;
	if (archive_write_header(out->tar, out->entry) != ARCHIVE_OK)
		return tar_error(out->tar);
	for (i = 0; i < seg->data_count && r == 0; i++) {
		r = put_hole(out, seg->data[i].offset - at);
		if (r == 0)
			r = put_bytes(out, packed, seg->data[i].length);
		packed += seg->data[i].length;
		at = seg->data[i].offset + seg->data[i].length;
	}
	return r;
}

/* "KEY=OFFSET LENGTH" lines behind @length; the new length. */
static size_t add_lines(struct delta_writer *out, size_t length, const char *key,
			const struct delta_extent *list, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		length += (size_t)snprintf(out->text + length, sizeof(out->text) - length,
					   "%s=%" PRIu64 " %" PRIu64 "\n", key, list[i].offset,
					   list[i].length);
	return length;
}

static int put_sum(struct delta_writer *out, const struct delta_segment *seg)
{
	char hex[DELTA_HEX];
	size_t length;

	delta_chain_hex(seg->chain, hex);
	length = (size_t)snprintf(out->text, sizeof(out->text), "sha256=%s\n", hex);
	length = add_lines(out, length, "zero", seg->zero, seg->zero_count);
	length = add_lines(out, length, "xor", seg->xor, seg->xor_count);
	return put_text(out, DELTA_SUM, seg->offset, out->text, length);
}

/* Not archive_write_open_fd(), which asks what @fd is: a confined process may not. */
static la_ssize_t write_block(struct archive *tar, void *data, const void *bytes, size_t length)
{
	const struct delta_writer *out = data;
	size_t piece = length < FRAME_MAX ? length : FRAME_MAX;
	int64_t begun = clock_us();
	ssize_t n;
	int r;

	alarm(out->patience);
	if (out->framed) {
		r = frame_write(out->fd, bytes, piece);
		n = r < 0 ? r : (ssize_t)piece;
	} else {
		do
			n = write(out->fd, bytes, length);
		while (n < 0 && errno == EINTR);
		n = n < 0 ? -errno : n;
	}
	alarm(0);
	if (n < 0)
		archive_set_error(tar, (int)-n, "cannot write");
	else if (out->meter)
		delta_meter_sent(out->meter, (size_t)n, begun);
	return n;
}

static int writer_prepare(struct delta_writer *out, const struct delta_filter *filter)
{
	int r;

	out->hole = mmap(NULL, HOLE_BYTES, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
			 -1, 0);
	if (out->hole == MAP_FAILED)
		return -errno;
	out->entry = archive_entry_new();
	out->tar = archive_write_new();
	if (!out->entry || !out->tar)
		return -ENOMEM;
	r = add_filter(out->tar, filter);
	if (r < 0)
		return r;
	/* No padding behind the end: a reader that stopped there would break the pipe. */
	if (archive_write_set_format_pax_restricted(out->tar) != ARCHIVE_OK ||
	    archive_write_set_bytes_per_block(out->tar, TAR_BLOCK) != ARCHIVE_OK ||
	    archive_write_set_bytes_in_last_block(out->tar, 1) != ARCHIVE_OK ||
	    archive_write_open(out->tar, out, NULL, write_block, NULL) != ARCHIVE_OK)
		return tar_error(out->tar);
	return 0;
}

int delta_write_open(struct delta_writer *out, int fd, bool framed, const struct delta_filter *filter,
		     const struct delta_facts *facts)
{
	size_t length;
	int r;

	memset(out, 0, sizeof(*out));
	out->fd = fd;
	out->framed = framed;
	out->time = facts->time;
	r = writer_prepare(out, filter);
	if (r < 0)
		return r;
	length = delta_header_text(facts, out->text);
	delta_chain_start(out->chain, out->text, length);
	return put_text(out, DELTA_HEADER, 0, out->text, length);
}

int delta_write_segment(struct delta_writer *out, const struct delta_segment *seg)
{
	int r = 0;

	if (seg->data_count > 0)
		r = put_data(out, seg);
	if (r == 0)
		r = put_sum(out, seg);
	memcpy(out->chain, seg->chain, DELTA_DIGEST);
	delta_totals_add(&out->totals, seg);
	return r;
}

static int put_trailer(struct delta_writer *out)
{
	const struct delta_totals *totals = &out->totals;
	char hex[DELTA_HEX];
	int length;

	delta_chain_hex(out->chain, hex);
	length = snprintf(out->text, sizeof(out->text),
			  "segments=%" PRIu64 "\nextents=%" PRIu64 "\ndata_bytes=%" PRIu64
			  "\nzero_bytes=%" PRIu64 "\ncomplete=1\nsha256=%s\n",
			  totals->segments, totals->extents, totals->data_bytes,
			  totals->zero_bytes, hex);
	return put_text(out, DELTA_TRAILER, 0, out->text, (size_t)length);
}

int delta_write_finish(struct delta_writer *out)
{
	int r = put_trailer(out);

	if (r < 0)
		return r;
	if (archive_write_close(out->tar) != ARCHIVE_OK)
		return tar_error(out->tar);
	out->stream_bytes = (uint64_t)archive_filter_bytes(out->tar, -1);
	archive_write_free(out->tar);
	archive_entry_free(out->entry);
	munmap((void *)out->hole, HOLE_BYTES);
	return out->framed ? frame_end(out->fd) : 0;
}
