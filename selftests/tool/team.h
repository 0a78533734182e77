/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The tasks that play the roles of a scenario: a process for each role, or a
 * thread of the process of the role that it shares with. They live as long as
 * the team and get orders in memory that all share.
 */
#ifndef DAXLAB_TEAM_H
#define DAXLAB_TEAM_H

#include "run.h"

#include <stdatomic.h>

enum order {
	ORDER_JOIN,	/* tell the session which role this is */
	ORDER_MAP,	/* map the file anew: no page tables of an earlier run */
	ORDER_DEED,	/* "begin", the deed, "end" */
	ORDER_LEAVE,	/* end */
};

/* What the tool and one task share; both sleep on the counters. */
struct slot {
	atomic_uint given;	/* counts orders */
	atomic_uint begun;	/* .given, when "begin" was written */
	atomic_uint done;	/* .given, when it was carried out */
	enum order order;
	struct deed deed;
	char begin[64];			/* the words of "begin" */
	int error;			/* errno of what was done */
	int session_error;		/* errno of "role", "begin", "end" */
	unsigned long value;
};

/* What the roles have open, or -1. */
struct files {
	int file;	/* the one that the scenario is about */
	int cache;	/* the private page cache */
	int sink;	/* a file in page-cache mode, for O_DIRECT */
	int nursery;	/* a directory where files in DAX mode are born */
};

struct team {
	const struct scenario *scenario;
	struct files files;
	unsigned int nr;
	struct slot *slot;		/* shared */
	pid_t pid[MAX_ROLES];		/* 0: a thread of another's process */
	bool killed[MAX_ROLES];		/* the process that this role began */
};

/* Start them, with what is open now: 0 or -errno. */
int team_start(struct team *team, const struct scenario *scenario, int session,
	       const struct files *files);
/* End them. False if one does not end. */
bool team_end(struct team *team);

/* Kill the process of a role: 0 or -errno. */
int team_kill(struct team *team, int role);
/* Start those anew that were killed: 0 or -errno. */
int team_revive(struct team *team, int session);

int team_role(const struct team *team, const char *name);	/* or -1 */
int team_map(struct team *team);				/* 0 or -errno */
/* The role begins a deed: 0 or -errno. It may have ended when this returns. */
int team_deed(struct team *team, int role, const struct deed *deed);
/* Wait until a role that is idle for the session has left its results: 0 or -errno. */
int team_settle(const struct team *team, int role);

#endif
