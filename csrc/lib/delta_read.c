// SPDX-License-Identifier: GPL-2.0-or-later
/* delta_read.c - see delta_read.h. */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "delta_read.h"

enum {
	TAR_BLOCK = 512,
	TAR_END = 2 * TAR_BLOCK,	/* zeros that end a tar */
	PADDING_MAX = 1 << 20,		/* more of them than any tar writes */
	UNPACKED_SLACK = 1 << 20,	/* more than twice the volume is in no tar that somebody means well with */
	ENTRY_HEAD = 256 << 10,		/* most bytes before an entry's data: headers and the map */
	OFFSET_DIGITS = 16,
};

int delta_read_limit(unsigned int mib)
{
	/* AddressSanitizer's shadow would count. */
	(void)mib;
#ifndef __SANITIZE_ADDRESS__
	struct rlimit limit = { (rlim_t)mib << 20, (rlim_t)mib << 20 };

	if (setrlimit(RLIMIT_DATA, &limit) < 0)
		return -errno;
#endif
	return 0;
}

/* Keep what is wrong for whoever asks.  libarchive may quote from the stream: nothing raw of it. */
__attribute__((format(printf, 3, 4)))
static int fault(struct delta_reader *in, int r, const char *format, ...)
{
	va_list args;
	char *at;

	va_start(args, format);
	vsnprintf(in->fault, sizeof(in->fault), format, args);
	va_end(args);
	for (at = in->fault; *at != '\0'; at++)
		if (*at < ' ' || *at > '~')
			*at = '?';
	return r;
}

static int entry_fault(struct delta_reader *in, const char *what)
{
	return fault(in, -EBADMSG, "behind byte %" PRIu64 " of the volume: %s", in->floor, what);
}

/* What libarchive says of the stream, unless it was the reading of it that failed. */
static int archive_fault(struct delta_reader *in, struct archive *a)
{
	const char *text = archive_error_string(a);

	if (in->input_error < 0)
		return in->input_error;
	return entry_fault(in, text ? text : "no archive");
}

/* Bytes in. */

static la_ssize_t read_input(struct archive *a, void *data, const void **buffer)
{
	struct delta_reader *in = data;
	ssize_t n;

	if (in->frame)
		n = frame_read(in->frame, &in->patience, in->fd, in->input, sizeof(in->input));
	else
		n = patience_read(&in->patience, in->fd, in->input, sizeof(in->input));
	if (n < 0) {
		in->input_error = (int)n;
		archive_set_error(a, (int)-n, "cannot read");
		return -1;
	}
	in->given += (uint64_t)n;
	*buffer = in->input;
	return n;
}

static size_t zeros_at_end(const uint8_t *bytes, size_t length)
{
	size_t n = length;

	while (n > 0 && bytes[n - 1] == 0)
		n--;
	return length - n;
}

/* The next tar bytes in in->slice; ARCHIVE_EOF behind the last. */
static int fill_slice(struct delta_reader *in)
{
	const void *block;
	la_int64_t offset;
	size_t length;
	int r;

	while (in->slice_left == 0) {
		r = archive_read_data_block(in->filter, &block, &length, &offset);
		if (r != ARCHIVE_OK)
			return r;
		in->slice = block;
		in->slice_left = length;
	}
	return ARCHIVE_OK;
}

static size_t take_slice(struct delta_reader *in, const void **bytes)
{
	size_t n = in->slice_left < DELTA_INPUT ? in->slice_left : DELTA_INPUT;
	size_t zeros = zeros_at_end(in->slice, n);

	*bytes = in->slice;
	in->slice += n;
	in->slice_left -= n;
	in->tar_bytes += n;
	in->tar_zeros = zeros == n ? in->tar_zeros + n : zeros;
	return n;
}

static la_ssize_t read_tar(struct archive *a, void *data, const void **buffer)
{
	struct delta_reader *in = data;
	size_t n;
	int r;

	r = fill_slice(in);
	if (r == ARCHIVE_EOF)
		return 0;
	if (r != ARCHIVE_OK) {
		archive_set_error(a, archive_errno(in->filter), "%s",
				  archive_error_string(in->filter));
		return -1;
	}
	n = take_slice(in, buffer);
	if (n > in->allowance) {
		archive_set_error(a, EFBIG, "an entry is too large");
		return -1;
	}
	if (in->tar_bytes / 2 > in->facts.volume_bytes + UNPACKED_SLACK / 2) {
		archive_set_error(a, EFBIG, "it unpacks into more than the volume can take");
		return -1;
	}
	in->allowance -= n;
	return (la_ssize_t)n;
}

/* What would run another program for a stream that asks for it is no support. */
static int support(struct archive *a)
{
	if (archive_read_support_filter_gzip(a) != ARCHIVE_OK ||
	    archive_read_support_filter_lz4(a) != ARCHIVE_OK ||
	    archive_read_support_filter_zstd(a) != ARCHIVE_OK ||
	    archive_read_support_filter_xz(a) != ARCHIVE_OK ||
	    archive_read_support_format_raw(a) != ARCHIVE_OK)
		return -EOPNOTSUPP;
	return 0;
}

static int open_filter(struct delta_reader *in)
{
	struct archive_entry *entry;
	int r;

	in->filter = archive_read_new();
	if (!in->filter)
		return -ENOMEM;
	r = support(in->filter);
	if (r < 0)
		return r;
	if (archive_read_open(in->filter, in, NULL, read_input, NULL) == ARCHIVE_OK &&
	    archive_read_next_header(in->filter, &entry) == ARCHIVE_OK)
		return 0;
	if (in->given == 0 && in->input_error == 0)
		return fault(in, -ENODATA, "the stream is empty");
	return archive_fault(in, in->filter);
}

static int open_tar(struct delta_reader *in)
{
	in->allowance = ENTRY_HEAD;
	in->tar = archive_read_new();
	if (!in->tar)
		return -ENOMEM;
	if (archive_read_support_format_tar(in->tar) != ARCHIVE_OK)
		return -EOPNOTSUPP;
	if (archive_read_open(in->tar, in, NULL, read_tar, NULL) != ARCHIVE_OK)
		return archive_fault(in, in->tar);
	return 0;
}

/* Entries. */

/* 0 with the next entry, a regular file; its name is still to be looked at. */
static int next_entry(struct delta_reader *in, struct archive_entry **entry)
{
	int r;

	in->allowance = ENTRY_HEAD;
	r = archive_read_next_header(in->tar, entry);
	if (r == ARCHIVE_EOF)
		return fault(in, -ENODATA, "the stream ends behind byte %" PRIu64
			     " of the volume, before its trailer", in->floor);
	if (r != ARCHIVE_OK)
		return archive_fault(in, in->tar);
	if (archive_entry_filetype(*entry) != AE_IFREG || archive_entry_hardlink(*entry) ||
	    archive_entry_symlink(*entry) || !archive_entry_size_is_set(*entry) ||
	    !archive_entry_pathname(*entry))
		return entry_fault(in, "an entry is no file");
	in->allowance = ENTRY_HEAD + DELTA_SEGMENT_BYTES;
	return 0;
}

/* The whole entry as text in in->text, at most @max bytes. */
static int read_text(struct delta_reader *in, struct archive_entry *entry, size_t max)
{
	la_int64_t size = archive_entry_size(entry);
	la_ssize_t n;

	if (size < 0 || (uint64_t)size > max)
		return entry_fault(in, "a text is too long");
	n = archive_read_data(in->tar, in->text, (size_t)size);
	if (n < 0)
		return archive_fault(in, in->tar);
	in->text[n] = '\0';
	if (n != size || strlen(in->text) != (size_t)n)
		return entry_fault(in, "not a text");
	return 0;
}

int delta_read_open_peer(struct delta_reader *in, int fd, int64_t patience_ms, struct frame_reader *frame)
{
	struct archive_entry *entry;
	const char *wrong;
	int r;

	memset(in, 0, sizeof(*in));
	in->fd = fd;
	in->patience.limit_ms = patience_ms;
	in->frame = frame;
	r = open_filter(in);
	if (r == 0)
		r = open_tar(in);
	if (r == 0)
		r = next_entry(in, &entry);
	if (r < 0)
		return r;
	if (strcmp(archive_entry_pathname(entry), DELTA_HEADER) != 0)
		return fault(in, -EBADMSG, "it does not begin with " DELTA_HEADER);
	r = read_text(in, entry, DELTA_HEADER_TEXT);
	if (r < 0)
		return r;
	delta_chain_start(in->chain, in->text, strlen(in->text));
	if (delta_facts_parse(&in->facts, in->text, false, &wrong) < 0)
		return fault(in, -EBADMSG, "its header is wrong or too new: %.32s", wrong);
	in->floor = in->facts.resume;
	return 0;
}

int delta_read_open(struct delta_reader *in, int fd)
{
	return delta_read_open_peer(in, fd, 0, NULL);
}

/* "<prefix><16 hex digits>" */
static bool parse_name(const char *name, const char *prefix, uint64_t *offset)
{
	size_t length = strlen(prefix);
	const char *digits = name + length;

	if (strncmp(name, prefix, length) != 0 || strlen(digits) != OFFSET_DIGITS ||
	    strspn(digits, "0123456789abcdef") != OFFSET_DIGITS)
		return false;
	*offset = strtoull(digits, NULL, 16);
	return true;
}

static int segment_fault(struct delta_reader *in, const struct delta_segment *seg, const char *what)
{
	return fault(in, -EBADMSG, "segment at byte %" PRIu64 " of the volume: %s", seg->offset,
		     what);
}

/* Data that arrived for @at, which the map of the entry says and nobody has checked. */
static int add_data(struct delta_segment *seg, uint64_t at, const void *bytes, size_t length)
{
	struct delta_extent *last = seg->data_count > 0 ? &seg->data[seg->data_count - 1] : NULL;

	if (length > DELTA_SEGMENT_BYTES - seg->bytes)
		return -EBADMSG;
	if (last && at < last->offset + last->length)
		return -EBADMSG;
	if (last && at == last->offset + last->length) {
		last->length += length;
	} else {
		if (seg->data_count == DELTA_EXTENTS)
			return -EBADMSG;
		seg->data[seg->data_count++] = (struct delta_extent){ at, length };
	}
	memcpy(seg->buffer + seg->bytes, bytes, length);
	seg->bytes += length;
	return 0;
}

static int read_data(struct delta_reader *in, struct archive_entry *entry,
		     struct delta_segment *seg)
{
	uint64_t size = (uint64_t)archive_entry_size(entry), end;
	const void *bytes;
	la_int64_t at;
	size_t length;
	int r;

	if (__builtin_add_overflow(seg->offset, size, &end) || end > in->facts.volume_bytes)
		return segment_fault(in, seg, "it reaches behind the end");
	while ((r = archive_read_data_block(in->tar, &bytes, &length, &at)) == ARCHIVE_OK) {
		if (length == 0)
			continue;
		if (at < 0 || (uint64_t)at > size || length > size - (uint64_t)at ||
		    add_data(seg, seg->offset + (uint64_t)at, bytes, length) < 0)
			return segment_fault(in, seg, "its map is wrong");
	}
	if (r != ARCHIVE_EOF)
		return archive_fault(in, in->tar);
	if (seg->data_count == 0 || delta_segment_end(seg) != end)
		return segment_fault(in, seg, "its data is short");
	return 0;
}

/* "OFFSET LENGTH" */
static int add_extent(struct delta_extent *list, unsigned int *count, char *value)
{
	char *length = strchr(value, ' ');

	if (!length || *count == DELTA_EXTENTS)
		return -EBADMSG;
	*length++ = '\0';
	if (num_u64(value, UINT64_MAX, &list[*count].offset) < 0 ||
	    num_u64(length, UINT64_MAX, &list[*count].length) < 0)
		return -EBADMSG;
	++*count;
	return 0;
}

/* The extents of zeros and of differences into @seg, the digest into @hex: "" when there is none. */
static int parse_sum(char *text, struct delta_segment *seg, const char **hex)
{
	char *key, *value;
	int r;

	*hex = "";
	while ((r = delta_next_line(&text, &key, &value)) > 0) {
		if (strcmp(key, "zero") == 0)
			r = add_extent(seg->zero, &seg->zero_count, value);
		else if (strcmp(key, "xor") == 0)
			r = add_extent(seg->xor, &seg->xor_count, value);
		else if (strcmp(key, "sha256") == 0 && **hex == '\0')
			*hex = value;
		else
			r = -EBADMSG;
		if (r < 0)
			return r;
	}
	return r;
}

/* The new content for the differences. */
static int restore(struct delta_reader *in, struct delta_segment *seg)
{
	int r;

	if (seg->xor_count == 0)
		return 0;
	if (!in->old)
		return segment_fault(in, seg, "it holds differences, and what they were made on is not given");
	r = delta_old_restore(in->old, seg);
	return r < 0 ? fault(in, r, "segment at byte %" PRIu64 " of the volume: cannot read what it was made on",
			     seg->offset) : 0;
}

/* The one place where a segment becomes trusted. */
static int verify_segment(struct delta_reader *in, struct delta_segment *seg)
{
	char computed[DELTA_HEX];
	const char *hex;
	int r;

	if (parse_sum(in->text, seg, &hex) < 0)
		return segment_fault(in, seg, "its sum is not valid");
	if (delta_segment_check(seg, &in->facts, in->floor) < 0)
		return segment_fault(in, seg, "its extents are wrong");
	r = restore(in, seg);
	if (r < 0)
		return r;
	delta_chain_add(in->chain, seg);
	delta_chain_hex(in->chain, computed);
	if (strcmp(hex, computed) != 0)
		return segment_fault(in, seg, "its digest does not match");
	delta_totals_add(&in->totals, seg);
	in->floor = delta_segment_end(seg);
	return 0;
}

/* The totals, each once; a key of a later format may stand between them. */
static int check_trailer(struct delta_reader *in)
{
	static const char *const keys[] = {
		"segments", "extents", "data_bytes", "zero_bytes", "complete", "sha256",
	};
	const struct delta_totals *totals = &in->totals;
	char want[6][DELTA_HEX], *text = in->text, *key, *value;
	unsigned int seen = 0, i;
	int r;

	snprintf(want[0], DELTA_HEX, "%" PRIu64, totals->segments);
	snprintf(want[1], DELTA_HEX, "%" PRIu64, totals->extents);
	snprintf(want[2], DELTA_HEX, "%" PRIu64, totals->data_bytes);
	snprintf(want[3], DELTA_HEX, "%" PRIu64, totals->zero_bytes);
	snprintf(want[4], DELTA_HEX, "1");
	delta_chain_hex(in->chain, want[5]);
	while ((r = delta_next_line(&text, &key, &value)) > 0) {
		for (i = 0; i < 6 && strcmp(key, keys[i]) != 0; i++)
			;
		if (i == 6 ? delta_ignored(key) < 0 : seen & 1U << i || strcmp(value, want[i]) != 0)
			return -EBADMSG;
		seen |= 1U << i;
	}
	return r < 0 || (seen & 0x3f) != 0x3f ? -EBADMSG : 0;
}

/* Behind the trailer: the zeros that end a tar, more of them if need be, and the end. */
static int read_end(struct delta_reader *in)
{
	struct archive_entry *entry;
	uint64_t end, content;
	const void *ignored;
	int r;

	in->allowance = ENTRY_HEAD;
	if (archive_read_next_header(in->tar, &entry) != ARCHIVE_EOF)
		return fault(in, -EBADMSG, "there is something behind its trailer");
	end = (uint64_t)archive_filter_bytes(in->tar, -1);
	while ((r = fill_slice(in)) == ARCHIVE_OK && in->tar_bytes < end + PADDING_MAX)
		take_slice(in, &ignored);

	/* The trailer's text is the last thing that is not zero. */
	content = in->tar_bytes - in->tar_zeros;
	if (r == ARCHIVE_OK || (r == ARCHIVE_EOF && content > end))
		return fault(in, -EBADMSG, "there is something behind its end");
	if (r != ARCHIVE_EOF)
		return archive_fault(in, in->filter);
	content = (content + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
	if (in->tar_bytes < content + TAR_END)
		return fault(in, -ENODATA, "the stream ends early, behind its trailer");
	return 0;
}

/* Nothing may follow the compressed stream, which need not be where its bytes end. */
static int read_to_eof(struct delta_reader *in)
{
	const void *ignored;

	if ((uint64_t)archive_filter_bytes(in->filter, -1) != in->given ||
	    read_input(in->filter, in, &ignored) > 0)
		return fault(in, -EBADMSG, "there is something behind its end");
	return in->input_error;
}

static int read_trailer(struct delta_reader *in, struct archive_entry *entry)
{
	int r = read_text(in, entry, DELTA_HEADER_TEXT);

	if (r < 0)
		return r;
	if (check_trailer(in) < 0)
		return fault(in, -EBADMSG, "its trailer does not agree with what was read");
	r = read_end(in);
	return r < 0 ? r : read_to_eof(in);
}

int delta_read_segment(struct delta_reader *in, struct delta_segment *seg)
{
	struct archive_entry *entry;
	uint64_t offset;
	int r;

	delta_segment_clear(seg);
	r = next_entry(in, &entry);
	if (r < 0)
		return r;
	if (strcmp(archive_entry_pathname(entry), DELTA_TRAILER) == 0)
		return read_trailer(in, entry);
	if (parse_name(archive_entry_pathname(entry), DELTA_DATA, &seg->offset)) {
		r = read_data(in, entry, seg);
		if (r == 0)
			r = next_entry(in, &entry);
		if (r < 0)
			return r;
	} else if (!parse_name(archive_entry_pathname(entry), DELTA_SUM, &seg->offset)) {
		return entry_fault(in, "an entry's name is wrong");
	}
	if (!parse_name(archive_entry_pathname(entry), DELTA_SUM, &offset) || offset != seg->offset)
		return segment_fault(in, seg, "its sum does not follow");
	r = read_text(in, entry, DELTA_SUM_TEXT);
	if (r == 0)
		r = verify_segment(in, seg);
	return r < 0 ? r : 1;
}

void delta_read_close(struct delta_reader *in)
{
	archive_read_free(in->tar);
	archive_read_free(in->filter);
}
