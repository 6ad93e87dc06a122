// SPDX-License-Identifier: GPL-2.0-or-later
/* confine.c - see confine.h. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "confine.h"

#ifndef __SANITIZE_ADDRESS__

enum {
	NOBODY = 65534,
	ALL_OF_FILES = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1,	/* what the first Landlock knew; all later ones do, too */
};

/* A ruleset without rules.  Most kernels since 5.13 have it, not all. */
static int give_up_files(void)
{
	struct landlock_ruleset_attr all = { .handled_access_fs = ALL_OF_FILES };
	int fd, r;

	fd = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof(all), 0);
	if (fd < 0)
		return 0;
	r = syscall(SYS_landlock_restrict_self, fd, 0) < 0 ? -errno : 0;
	close(fd);
	return r;
}

/* With the last user id that was root's go all capabilities. */
static int give_up_root(void)
{
	if (geteuid() != 0)
		return 0;
	if (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 || setresuid(NOBODY, NOBODY, NOBODY) < 0)
		return -errno;
	return 0;
}

static int give_up_descriptors(void)
{
	struct rlimit no_new = { 1, 1 }, none = { 0, 0 };	/* poll() wants as many as it is given */

	return setrlimit(RLIMIT_NOFILE, &no_new) < 0 || setrlimit(RLIMIT_CORE, &none) < 0 ? -errno : 0;
}

/* What is needed by us, by glibc for memory and threads, and by the decompressors. */
static const int needed[] = {
	SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(pread64), SCMP_SYS(pwrite64), SCMP_SYS(fsync), SCMP_SYS(fdatasync),
	SCMP_SYS(fcntl), SCMP_SYS(fcntl64), SCMP_SYS(close), SCMP_SYS(poll),
	SCMP_SYS(ppoll), SCMP_SYS(ppoll_time64),
	SCMP_SYS(io_setup), SCMP_SYS(io_submit), SCMP_SYS(io_getevents), SCMP_SYS(io_destroy),
	SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise),
	SCMP_SYS(futex), SCMP_SYS(futex_time64), SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(sched_yield),
	SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigreturn), SCMP_SYS(restart_syscall),
	SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(tgkill),
	SCMP_SYS(clock_gettime), SCMP_SYS(clock_gettime64), SCMP_SYS(gettimeofday), SCMP_SYS(getrandom),
	SCMP_SYS(exit), SCMP_SYS(exit_group),
};

/* Memory that can be executed is for nobody who has all code already; a new thread is no new process. */
static int add_careful(scmp_filter_ctx filter)
{
	static const int maps[] = { SCMP_SYS(mmap), SCMP_SYS(mmap2), SCMP_SYS(mprotect) };
#ifdef __s390__
	const unsigned int flags = 1;
#else
	const unsigned int flags = 0;
#endif
	size_t i;
	int r = 0;

	for (i = 0; i < sizeof(maps) / sizeof(maps[0]) && r == 0; i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, maps[i], 1, SCMP_CMP(2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	if (r == 0)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
				     SCMP_CMP(flags, SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
	return r;
}

/* What is refused is "not implemented": libraries have ways to do without. */
static int give_up_calls(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	size_t i;
	int r = 0;

	if (!filter)
		return -ENOMEM;
	for (i = 0; i < sizeof(needed) / sizeof(needed[0]) && r == 0; i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, needed[i], 0);
	if (r == 0)
		r = add_careful(filter);
	if (r == 0)
		seccomp_load(filter);	/* fails where the kernel has none */
	seccomp_release(filter);
	return r;
}

int confine(void)
{
	int r;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	r = give_up_files();
	if (r == 0)
		r = give_up_root();
	if (r == 0)
		r = give_up_descriptors();
	return r == 0 ? give_up_calls() : r;
}

#else

int confine(void)
{
	return 0;
}

#endif
