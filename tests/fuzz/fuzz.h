/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz.h - what the targets for libFuzzer share.
 *
 * tests/fuzz/NAME.c is one program, build/fuzz/fuzz/NAME, which tests/t3140-fuzz.sh runs.  A target gives the code that input,
 * and dies where a promise is broken that no sanitizer knows of.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/*
 * must - a promise.
 */
#define must(promise) do { if (!(promise)) __builtin_trap(); } while (0)

/*
 * file_of - give that content, alone, to a file in memory, which is made when *@fd is 0.
 */
void file_of(int *fd, const void *data, size_t size);

/*
 * forge - make a tar, in place, one that gets past the checks that chance does not: its headers have the right sums, and the
 * digests are all zeros.  While fuzz_forged is set, all those that our code works out are, too.
 *
 * False for what is no tar.
 */
bool forge(uint8_t *tar, size_t size);
extern bool fuzz_forged;

#endif
