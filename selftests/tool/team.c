// SPDX-License-Identifier: GPL-2.0
/*
 * The tasks that play the roles, from outside; team.h says what each function does.
 */
#include "team.h"

#include "worker.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

/* Most that a healthy task takes for what never waits, on a slow machine. */
#define SLICE_MS	500
#define ORDER_SLICES	60
#define ORDER_MS	(SLICE_MS * ORDER_SLICES)

int team_role(const struct team *team, const char *name)
{
	unsigned int i;

	for (i = 0; i < team->nr; i++)
		if (!strcmp(team->scenario->role[i].name, name))
			return i;
	return -1;
}

static bool team_done(const struct team *team, int role)
{
	struct slot *slot = &team->slot[role];

	return atomic_load(&slot->done) == atomic_load(&slot->given);
}

/* The process of a role: its own, or that of the role it shares with. */
static pid_t process_of(const struct team *team, int role)
{
	const char *shares = team->scenario->role[role].shares;

	return team->pid[shares ? team_role(team, shares) : role];
}

/* 0, -ETIME, or -ECHILD if nobody is there to count. */
static int wait_for(const struct team *team, int role, atomic_uint *counter, unsigned int value)
{
	unsigned int seen, slices;
	siginfo_t info;

	for (slices = 0; (seen = atomic_load(counter)) != value; slices++) {
		info.si_pid = 0;
		if (slices && (waitid(P_PID, process_of(team, role), &info,
				      WEXITED | WNOHANG | WNOWAIT) || info.si_pid))
			return -ECHILD;
		if (slices == ORDER_SLICES)
			return -ETIME;
		counter_wait(counter, seen, SLICE_MS);
	}
	return 0;
}

int team_settle(const struct team *team, int role)
{
	struct slot *slot = &team->slot[role];

	return wait_for(team, role, &slot->done, atomic_load(&slot->given));
}

static unsigned int give(struct slot *slot, enum order order)
{
	unsigned int given = atomic_load(&slot->given) + 1;

	slot->order = order;
	counter_set(&slot->given, given);
	return given;
}

static int carry(const struct team *team, int role, enum order order)
{
	struct slot *slot = &team->slot[role];
	int err = wait_for(team, role, &slot->done, give(slot, order));

	return err ?: -slot->error ?: -slot->session_error;
}

static int start_process(struct team *team, unsigned int role, int session)
{
	pid_t pid = fork();

	if (!pid)
		worker_main(team, role, session);
	if (pid < 0)
		return -errno;
	team->pid[role] = pid;
	return 0;
}

int team_start(struct team *team, const struct scenario *scenario, int session,
	       const struct files *files)
{
	const char *shares;
	unsigned int i;
	int err = 0;

	*team = (struct team){ .scenario = scenario, .files = *files };
	while (team->nr < MAX_ROLES && scenario->role[team->nr].name)
		team->nr++;
	team->slot = mmap(NULL, MAX_ROLES * sizeof(*team->slot), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (team->slot == MAP_FAILED) {
		team->slot = NULL;
		return -errno;
	}
	for (i = 0; i < team->nr; i++) {
		shares = scenario->role[i].shares;
		if (shares && team_role(team, shares) < 0)
			return -EINVAL;
		if (shares)
			continue;
		err = start_process(team, i, session);
		if (err)
			return err;
	}
	for (i = 0; i < team->nr && !err; i++)
		err = carry(team, i, ORDER_JOIN);
	return err;
}

static bool reap(pid_t pid, int ms)
{
	int fd = syscall(SYS_pidfd_open, pid, 0);
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

	if (fd < 0)
		return false;
	poll(&poll_fd, 1, ms);
	close(fd);
	return waitpid(pid, NULL, WNOHANG) == pid;
}

bool team_end(struct team *team)
{
	bool all = true;
	unsigned int i;

	for (i = 0; i < team->nr; i++) {
		if (!team->pid[i])
			continue;
		if (team_done(team, i))
			give(&team->slot[i], ORDER_LEAVE);
		else
			kill(team->pid[i], SIGKILL);
	}
	for (i = 0; i < team->nr; i++) {
		if (!team->pid[i] || reap(team->pid[i], ORDER_MS))
			continue;
		kill(team->pid[i], SIGKILL);
		all = reap(team->pid[i], ORDER_MS) && all;
	}
	if (all && team->slot)
		munmap(team->slot, MAX_ROLES * sizeof(*team->slot));
	*team = (struct team){};
	return all;
}

int team_kill(struct team *team, int role)
{
	pid_t pid = process_of(team, role);
	unsigned int i;

	for (i = 0; i < team->nr; i++)
		if (team->pid[i] == pid)
			team->killed[i] = true;
	return kill(pid, SIGKILL) ? -errno : 0;
}

/* Its orders go with a process: who comes after it has got none. */
static int revive(struct team *team, unsigned int role, int session)
{
	pid_t dead = team->pid[role];
	unsigned int i;
	int err;

	for (i = 0; i < team->nr; i++)
		if (process_of(team, i) == dead)
			team->slot[i] = (struct slot){};
	err = start_process(team, role, session);
	for (i = 0; i < team->nr && !err; i++)
		if (process_of(team, i) == team->pid[role])
			err = carry(team, i, ORDER_JOIN);
	return err;
}

int team_revive(struct team *team, int session)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < team->nr && !err; i++) {
		if (!team->killed[i])
			continue;
		if (!reap(team->pid[i], ORDER_MS))
			return -ETIME;
		team->killed[i] = false;
		err = revive(team, i, session);
	}
	return err;
}

int team_map(struct team *team)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < team->nr && !err; i++)
		if (team->pid[i] && team->scenario->role[i].map != MAP_NONE)
			err = carry(team, i, ORDER_MAP);
	return err;
}

/* What listings show of a deed; of the cache, also what is written there. */
static void describe(char *text, size_t size, const struct deed *deed)
{
	static const char *const name[] = {
		[LOAD] = "load", [STORE] = "store", [WRITE] = "write(2)",
		[WRITE_HALF] = "write(2) of half",
		[WRITE_FROM_MAP] = "write(2) from its mapping", [READ] = "read(2)",
		[FSYNC] = "fsync(2)", [MSYNC] = "msync(2)", [PUNCH] = "punch",
		[TRUNCATE] = "truncate(2)", [FADVISE] = "fadvise(2)",
		[DONTNEED] = "madvise(2)", [MMAP] = "mmap(2)",
		[FLUSH] = "cyclic writeback",
		[DIRECT] = "direct read into its mapping", [VMSPLICE] = "vmsplice(2)",
		[DRAIN] = "read of the pipe", [MUNMAP] = "munmap(2)",
		[ORPHAN] = "vmsplice(2) of an unlinked file", [ORPHAN_END] = "close(2) of it",
		[FRAME] = "look at the page table",
		[CACHE_ADD] = "cache add", [CACHE_EVICT] = "cache evict",
		[CACHE_HOLD] = "cache hold", [CACHE_SPLIT] = "cache split",
		[CACHE_LOOK] = "cache look", [CACHE_GET] = "cache get",
		[CACHE_DROP] = "cache drop",
		[CACHE_REUSE] = "cache reuse", [CACHE_RESET] = "cache reset",
	};

	switch (deed->kind) {
	case FSYNC:
	case FADVISE:
	case MMAP:
	case FLUSH:
	case DRAIN:
	case MUNMAP:
	case ORPHAN:
	case ORPHAN_END:
	case CACHE_RESET:
		snprintf(text, size, "begin %s", name[deed->kind]);
		break;
	case CACHE_ADD:
		snprintf(text, size, "begin %s %lu %lu", name[deed->kind], deed->page, deed->nr);
		break;
	case CACHE_DROP:
		snprintf(text, size, "begin %s %lu %lu", name[deed->kind], deed->page,
			 deed->page + deed->nr - 1);
		break;
	case CACHE_EVICT:
	case CACHE_HOLD:
	case CACHE_SPLIT:
	case CACHE_LOOK:
	case CACHE_GET:
	case CACHE_REUSE:
		snprintf(text, size, "begin %s %lu", name[deed->kind], deed->page);
		break;
	default:
		snprintf(text, size, "begin %s 0x%lx", name[deed->kind], deed->page);
		if (deed->nr > 1)
			snprintf(text + strlen(text), size - strlen(text), "+0x%lx", deed->nr);
	}
}

int team_deed(struct team *team, int role, const struct deed *deed)
{
	struct slot *slot = &team->slot[role];
	unsigned int given;
	int err;

	/* "end" is written before the task says that it is done. */
	if (team_settle(team, role))
		return -EBUSY;
	slot->deed = *deed;
	slot->value = 0;
	describe(slot->begin, sizeof(slot->begin), deed);
	given = give(slot, ORDER_DEED);
	err = wait_for(team, role, &slot->begun, given);
	/* It may have done it all by now, with an error of the session. */
	if (!err && team_done(team, role))
		err = -slot->session_error;
	return err;
}
