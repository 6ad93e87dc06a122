/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * clock.h - how long something takes.
 */
#ifndef ZUMASTOR_CLOCK_H
#define ZUMASTOR_CLOCK_H

#include <stdint.h>

/*
 * clock_ms - milliseconds since some moment; setting the clock does not change it.
 */
int64_t clock_ms(void);

/*
 * clock_us - the same in microseconds.
 */
int64_t clock_us(void);

#endif
