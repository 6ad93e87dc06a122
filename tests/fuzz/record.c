// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * record.c - the text of a store record, read and written again: both say the same.
 */
#include "../../csrc/lib/record.c"
#include "fuzz.h"

static char text[2][SLOT_BYTES];

static void print(const struct record *rec, char *to)
{
	FILE *out = fmemopen(to, SLOT_BYTES, "w");

	must(out && record_print(rec, out) == 0 && fclose(out) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct record rec;
	char *copy = malloc(size + 1);

	memcpy(copy, data, size);
	copy[size] = '\0';
	memset(&rec, 0, sizeof(rec));
	if (record_parse(copy, &rec) == 0) {
		print(&rec, text[0]);
		strcpy(text[1], text[0]);
		memset(&rec, 0, sizeof(rec));
		must(record_parse(text[1], &rec) == 0);
		print(&rec, text[1]);
		must(strcmp(text[0], text[1]) == 0);
	}
	free(copy);
	return 0;
}
