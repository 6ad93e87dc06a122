// SPDX-License-Identifier: GPL-2.0-or-later
/* stamp.c - see stamp.h. */
#include <string.h>

#include "digest.h"
#include "io.h"
#include "stamp.h"

enum { WORDS = SECTOR_SIZE / 8 };

static uint64_t series(uint64_t seed, uint64_t number, uint64_t sector)
{
	uint64_t state = seed * UINT64_C(0x9e3779b97f4a7c15) ^ number << 20 ^ sector << 1 ^ 1;

	rnd(&state);
	rnd(&state);
	return state | 1;
}

struct stamp stamp_make(uint64_t seed, uint64_t number, uint64_t device_sectors)
{
	uint64_t state = series(seed, number, 0);
	struct stamp stamp = { .number = number };

	if (number == 0) {
		stamp.sectors = device_sectors;
		return stamp;
	}
	/* Mostly small, sometimes over several chunks. */
	stamp.sectors = rnd(&state) % 8 ? 1 + rnd(&state) % 8 : 1 + rnd(&state) % STAMP_SECTORS_MAX;
	stamp.sector = rnd(&state) % (device_sectors - stamp.sectors + 1);
	return stamp;
}

void stamp_fill(uint64_t seed, const struct stamp *stamp, uint64_t sector, void *buffer)
{
	uint64_t state = series(seed, stamp->number, sector), word[WORDS];
	unsigned int i;

	word[0] = stamp->number;
	word[1] = sector;
	for (i = 2; i < WORDS; i++)
		word[i] = rnd(&state);
	memcpy(buffer, word, sizeof(word));
}

uint64_t stamp_number(const void *buffer)
{
	uint64_t number;

	memcpy(&number, buffer, sizeof(number));
	return number;
}
