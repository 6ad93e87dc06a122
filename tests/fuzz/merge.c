// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * merge.c - two deltas, one behind the other in the input, merged as delta-merge does.
 *
 * Applying the result makes the same of a volume as applying both.  That they follow one another is not asked here.
 */
#define main delta_merge_main
#include "../../csrc/delta-merge.c"
#undef main

#include <stdlib.h>

#include "fuzz.h"

enum { VOLUME_MAX = 1 << 20 };

static struct merge merge;
static struct delta_segment *segs[4];
static uint8_t by_both[VOLUME_MAX], by_merged[VOLUME_MAX];
static int files[2], merged;

static void begin(void)
{
	unsigned int i;

	for (i = 0; i < 4 && !segs[i]; i++)
		segs[i] = delta_segment_new();
}

/* Make of @volume what the delta on @fd says. */
static int apply(int fd, uint8_t *volume)
{
	static struct delta_reader in;
	struct delta_segment *seg = segs[3];
	unsigned int i;
	size_t at;
	int r;

	lseek(fd, 0, SEEK_SET);
	r = delta_read_open(&in, fd);
	if (r == 0 && delta_is_full(&in.facts))
		memset(volume, 0, in.facts.volume_bytes);
	while (r == 0 && (r = delta_read_segment(&in, seg)) > 0) {
		for (i = 0, at = 0; i < seg->data_count; at += seg->data[i++].length)
			memcpy(volume + seg->data[i].offset, seg->buffer + at, seg->data[i].length);
		for (i = 0; i < seg->zero_count; i++)
			memset(volume + seg->zero[i].offset, 0, seg->zero[i].length);
		r = 0;
		continue;
	}
	delta_read_close(&in);
	return r;
}

static bool fits(const struct delta_facts *facts)
{
	return facts->volume_bytes <= VOLUME_MAX && facts->resume == 0 && !facts->xor;
}

static int open_both(void)
{
	unsigned int i;
	int r = 0;

	merge.count = 2;
	merge.out.seg = segs[2];
	delta_segment_clear(segs[2]);
	merge.out.floor = 0;
	for (i = 0; i < 2; i++) {
		struct input *in = &merge.input[i];

		memset(&in->reader, 0, sizeof(in->reader));
		in->seg = segs[i];
		in->data = in->zero = 0;
		in->at = (struct delta_extent){ 0, 0 };
		in->ended = false;
		delta_segment_clear(in->seg);
		lseek(files[i], 0, SEEK_SET);
		if (r == 0)
			r = delta_read_open(&in->reader, files[i]);
		if (r == 0 && !fits(&in->reader.facts))
			r = -EINVAL;
	}
	if (r == 0 && (delta_is_full(&merge.input[1].reader.facts) ||
		       merge.input[1].reader.facts.volume_bytes < merge.input[0].reader.facts.volume_bytes))
		r = -EINVAL;
	return r;
}

static int merge_both(void)
{
	struct delta_filter filter;
	struct output *out = &merge.out;
	int r;

	delta_filter_parse("none", &filter);
	out->facts = merge.input[1].reader.facts;
	strcpy(out->facts.base, merge.input[0].reader.facts.base);
	file_of(&merged, "", 0);
	must(delta_write_open(&out->writer, merged, false, &filter, &out->facts) == 0);
	memcpy(out->chain, out->writer.chain, DELTA_DIGEST);
	r = merge_all(&merge);
	must(delta_write_finish(&out->writer) == 0);
	return r;
}

static void try_both(void)
{
	int r = open_both();

	if (r == 0)
		r = merge_both();
	delta_read_close(&merge.input[0].reader);
	delta_read_close(&merge.input[1].reader);
	if (r < 0)
		return;
	memset(by_both, 'q', sizeof(by_both));
	memset(by_merged, 'q', sizeof(by_merged));
	must(apply(files[0], by_both) == 0 && apply(files[1], by_both) == 0);
	must(apply(merged, by_merged) == 0);
	must(memcmp(by_both, by_merged, merge.out.facts.volume_bytes) == 0);
}

/* Where the last stream begins; 0 when there is but one, which is merged with itself. */
static size_t split(const uint8_t *data, size_t size)
{
	size_t at = size / 512 * 512;

	while (at > 0) {
		at -= 512;
		if (size - at >= sizeof(DELTA_HEADER) && memcmp(data + at, DELTA_HEADER, sizeof(DELTA_HEADER)) == 0)
			return at;
	}
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t at = split(data, size);
	uint8_t *copy = malloc(size + 1);
	bool both;

	begin();
	memcpy(copy, data, size);
	fuzz_forged = true;
	both = forge(copy, at > 0 ? at : size) && forge(copy + at, size - at);
	if (both) {
		file_of(&files[0], copy, at > 0 ? at : size);
		file_of(&files[1], copy + at, size - at);
		try_both();
	}
	free(copy);
	return 0;
}
