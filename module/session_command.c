// SPDX-License-Identifier: GPL-2.0
/*
 * The commands of a session: see session.h
 */
#include "session.h"
#include "bridge.h"
#include "fs.h"
#include "pcache.h"
#include "pwb.h"

#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/string.h>

/* Take the next word off the rest of a line; NULL if there is none. */
static char *dxl_word(char **rest)
{
	char *word;

	if (!*rest)
		return NULL;
	*rest = skip_spaces(*rest);
	word = strsep(rest, " ");
	if (*rest && !*skip_spaces(*rest))
		*rest = NULL;
	return *word ? word : NULL;
}

static int dxl_do_bind(struct dxl_session *session, char *rest)
{
	const char *id = dxl_word(&rest);
	struct dxl_lab *lab;
	int err;

	if (!id || rest)
		return dxl_refuse(-EINVAL, "bind", "wants the name of a device");
	lab = dxl_fs_find_lab(id);
	if (!lab)
		return dxl_refuse(-ENODEV, id, "nothing is mounted there");
	if (session->bridge || (session->lab && session->lab != lab))
		return dxl_refuse(-EBUSY, id, "bound to another mount");
	err = dxl_log_open(lab);
	if (!err)
		session->lab = lab;
	return err;
}

static int dxl_do_bridge(struct dxl_session *session, char *rest)
{
	const char *word = dxl_word(&rest), *more = dxl_word(&rest);
	const char *without = dxl_word(&rest), *why;
	struct dxl_bridge *bridge;
	unsigned int fd;

	if (!word || rest || kstrtouint(word, 10, &fd))
		return dxl_refuse(-EINVAL, word ?: "bridge",
				  "wants a file descriptor");
	if (more && (strcmp(more, "without") || !without))
		return dxl_refuse(-EINVAL, more, "or: without FUNCTION");
	if (session->lab || session->bridge)
		return dxl_refuse(-EBUSY, word, "bound already");
	bridge = dxl_bridge_open(fd, without, &why);
	session->no_bridge = IS_ERR(bridge) ? why : NULL;
	if (IS_ERR(bridge))
		return dxl_refuse(PTR_ERR(bridge), without ?: word, why);
	session->bridge = bridge;
	return 0;
}

static int dxl_do_role(struct dxl_session *session, char *rest)
{
	const char *name = dxl_word(&rest);
	int err;

	if (!name || rest || !dxl_role_name_ok(name))
		return dxl_refuse(-EINVAL, name ?: "role",
				  "a role's name is 1 to 15 of a-z A-Z 0-9 _ -, and not 'all'");
	err = dxl_role_add(session, name);
	if (err == -EEXIST)
		return dxl_refuse(err, name, "another task plays this role");
	if (err == -EBUSY)
		return dxl_refuse(err, name, "the task has a role already");
	return err;
}

static int dxl_do_unrole(struct dxl_session *session, char *rest)
{
	int err = rest ? -EINVAL : dxl_role_drop(session);

	return err ? dxl_refuse(err, "unrole", "no argument, and a role") : 0;
}

static int dxl_do_begin(struct dxl_session *session, char *rest)
{
	struct dxl_role *role = dxl_role_mine(session);

	if (!role)
		return dxl_refuse(-ENOENT, "begin", "the task has no role here");
	strscpy(role->deed, rest ?: "", sizeof(role->deed));
	if (dxl_session_log(session))
		dxl_log_lab(dxl_session_log(session), DXL_EV_BEGIN);
	dxl_role_begin(role, true);
	return 0;
}

static int dxl_do_end(struct dxl_session *session, char *rest)
{
	struct dxl_role *role = dxl_role_mine(session);

	if (!role || rest)
		return dxl_refuse(rest ? -EINVAL : -ENOENT, "end",
				  "no argument, and a role");
	if (dxl_session_log(session))
		dxl_log_lab(dxl_session_log(session), DXL_EV_END);
	dxl_role_begin(role, false);
	return 0;
}

static int dxl_do_seed(struct dxl_session *session, char *rest)
{
	const char *word = dxl_word(&rest);
	u64 seed;

	if (!word || rest || kstrtou64(word, 0, &seed))
		return dxl_refuse(-EINVAL, word ?: "seed", "wants a number");
	WRITE_ONCE(session->seed, seed);
	return 0;
}

static int dxl_do_arm(struct dxl_session *session, char *rest)
{
	const char *name = dxl_word(&rest);
	int window = name ? dxl_window_find(name) : -EINVAL;
	const char *why;

	if (window < 0)
		return dxl_refuse(-EINVAL, name ?: "arm", "no such window");
	if (!dxl_session_log(session))
		return dxl_refuse(-ENODEV, name, "bind to a mount first");
	if (!rest)
		return dxl_refuse(-EINVAL, name, "a rule is missing");
	why = session->bridge ? dxl_bridge_refuses(window) : NULL;
	if (why)
		return dxl_refuse(-EOPNOTSUPP, name, why);
	return dxl_window_arm(session, window, strim(rest));
}

static int dxl_do_disarm(struct dxl_session *session, char *rest)
{
	const char *name = dxl_word(&rest);
	int window = -1;

	if (name && strcmp(name, "all"))
		window = dxl_window_find(name);
	if (!name || rest || window == -EINVAL)
		return dxl_refuse(-EINVAL, name ?: "disarm",
				  "no such window, and not 'all'");
	dxl_window_disarm(session, window);
	return 0;
}

static int dxl_do_release(struct dxl_session *session, char *rest)
{
	const char *name = dxl_word(&rest);
	struct dxl_role *role = NULL;

	if (!name || rest)
		return dxl_refuse(-EINVAL, "release", "wants a role or 'all'");
	if (strcmp(name, "all")) {
		role = dxl_role_named(session, name);
		if (!role)
			return dxl_refuse(-ENOENT, name, "no such role");
	}
	dxl_window_release(session, role);
	return 0;
}

static int dxl_do_mark(struct dxl_session *session, char *rest)
{
	struct dxl_role *role;
	unsigned int i;

	if (rest)
		return dxl_refuse(-EINVAL, "mark", "takes no argument");
	/* A role that runs may keep a count: mark is for when none does. */
	list_for_each_entry(role, &session->roles, list)
		for (i = 0; i < DXL_NR_WINDOWS; i++)
			WRITE_ONCE(role->crossed[i], 0);
	dxl_windows_forget(session);
	atomic_set(&session->overdue, 0);
	dxl_verdict_free(session->verdict);
	session->verdict = NULL;
	dxl_listing_free(session->listing);
	session->listing = NULL;
	if (session->lab)
		dxl_log_mark(session->lab);
	if (session->bridge)
		dxl_bridge_mark(session->bridge);
	return 0;
}

static int dxl_do_verdict(struct dxl_session *session, char *rest)
{
	int err = rest ? -EINVAL : dxl_verdict_ask(session);

	if (err == -EBUSY || err == -ENOMEM || !err)
		return err;
	return dxl_refuse(err, "verdict", "no argument, and bind to a mount first");
}

static int dxl_do_listing(struct dxl_session *session, char *rest)
{
	int err = rest ? -EINVAL : dxl_listing_ask(session);

	if (err == -ENOMEM || !err)
		return err;
	return dxl_refuse(err, "listing", "no argument, and bind to a mount first");
}

static int dxl_do_cure(struct dxl_session *session, char *rest)
{
	const char *name = dxl_word(&rest);
	int err = -ENODEV;

	if (session->bridge)
		err = name && !rest ? dxl_bridge_cure(session->bridge, name) :
				      -EINVAL;
	return err ? dxl_refuse(err, name ?: "cure",
				"wants a bridge, and one of " DXL_CURES) : 0;
}

static int dxl_do_record(struct dxl_session *session, char *rest)
{
	if (rest || !session->bridge)
		return dxl_refuse(rest ? -EINVAL : -ENODEV, "record",
				  "no argument, and a bridge");
	return dxl_bridge_record(session->bridge);
}

static int dxl_do_rescue(struct dxl_session *session, char *rest)
{
	if (rest || !session->lab)
		return dxl_refuse(rest ? -EINVAL : -ENODEV, "rescue",
				  "no argument, and bind to a mount first");
	dxl_rescue(session->lab);
	return 0;
}

/* What a wait is for. */
struct dxl_wish {
	const char *name;	/* of the role, or "all" */
	bool still;
	enum dxl_role_state state;
	int window;		/* for PARKED; -1: any */
};

static int dxl_wish_state(struct dxl_wish *wish, char *word)
{
	char *window = strchr(word, ':');

	wish->window = -1;
	if (window) {
		*window++ = '\0';
		wish->window = dxl_window_find(window);
		if (wish->window < 0 || strcmp(word, "parked"))
			return -EINVAL;
	}
	wish->still = !strcmp(word, "still");
	if (!strcmp(word, "parked"))
		wish->state = DXL_ROLE_PARKED;
	else if (!strcmp(word, "asleep"))
		wish->state = DXL_ROLE_ASLEEP;
	else if (!strcmp(word, "blocked"))
		wish->state = DXL_ROLE_TXN;
	else if (!strcmp(word, "spinning"))
		wish->state = DXL_ROLE_SPINNING;
	else if (!strcmp(word, "idle"))
		wish->state = DXL_ROLE_IDLE;
	else if (!wish->still)
		return -EINVAL;
	return 0;
}

/* 1: it is so; 0: not yet; -ESRCH: it cannot come about. */
static int dxl_wish_role(const struct dxl_wish *wish,
			 const struct dxl_role *role)
{
	enum dxl_role_state state = dxl_role_state(role);

	if (dxl_role_blocked(role, NULL, 0))
		state = DXL_ROLE_TXN;
	else if (state == DXL_ROLE_PIN)
		state = DXL_ROLE_RUNNING;
	else if (state == DXL_ROLE_SPINNING && !dxl_role_spins(role))
		state = DXL_ROLE_RUNNING;
	if (wish->still)
		return state != DXL_ROLE_RUNNING;
	if (state == wish->state)
		return wish->window < 0 ||
		       wish->window == (int)READ_ONCE(role->window);
	return state == DXL_ROLE_IDLE ? -ESRCH : 0;
}

static int dxl_wish_look(struct dxl_session *session,
			 const struct dxl_wish *wish)
{
	struct dxl_role *role;
	int all = 1, one;

	dxl_roles_reap(session);
	if (strcmp(wish->name, "all")) {
		role = dxl_role_named(session, wish->name);
		return role ? dxl_wish_role(wish, role) : -ESRCH;
	}
	if (wish->still)
		return dxl_session_still(session);
	list_for_each_entry(role, &session->roles, list) {
		one = dxl_wish_role(wish, role);
		if (one < 0)
			return one;
		all &= one;
	}
	return all;
}

/*
 * Published states wake the waiter at once. Nobody publishes the sleep for a
 * lock that is not ours, or a death: so look again with every tick.
 */
static int dxl_wish_wait(struct dxl_session *session,
			 const struct dxl_wish *wish, unsigned int ms)
{
	unsigned long end = jiffies + msecs_to_jiffies(ms);

	for (;;) {
		u64 changes = atomic64_read(&session->changes);
		bool over = time_after(jiffies, end);
		int found;

		if (mutex_lock_interruptible(&session->lock))
			return -EINTR;
		found = session->over ? -ESHUTDOWN :
					dxl_wish_look(session, wish);
		mutex_unlock(&session->lock);
		if (found)
			return found < 0 ? found : 0;
		if (over)
			return -ETIME;
		if (wait_event_interruptible_timeout(session->changed,
						     changes != atomic64_read(&session->changes),
						     1) < 0)
			return -EINTR;
	}
}

static int dxl_do_wait(struct dxl_session *session, char *rest)
{
	struct dxl_wish wish = { .name = dxl_word(&rest) };
	char *state = dxl_word(&rest);
	const char *word = dxl_word(&rest);
	unsigned int ms = DXL_WAIT_MS;

	if (!wish.name || !state || dxl_wish_state(&wish, state))
		return dxl_refuse(-EINVAL, state ?: "wait",
				  "wants ROLE|all and parked[:WINDOW] asleep blocked spinning idle still");
	if (rest || (word && (kstrtouint(word, 10, &ms) ||
			      ms > DXL_WAIT_MS_MAX)))
		return dxl_refuse(-EINVAL, word, "the time is not 0 to 60000 ms");
	return dxl_wish_wait(session, &wish, ms);
}

/* Is it a file in page-cache mode of the session's mount? */
static bool dxl_flush_fits(struct dxl_session *session, const struct file *file)
{
	bool fits;

	mutex_lock(&session->lock);
	fits = session->lab && !session->over &&
	       file_inode(file)->i_sb == session->lab->sb &&
	       dxl_pcache(file_inode(file));
	mutex_unlock(&session->lock);
	return fits;
}

/* Like "wait", without the session's lock: the caller may come to a window. */
static int dxl_do_flush(struct dxl_session *session, char *rest)
{
	const char *fd = dxl_word(&rest), *nr = dxl_word(&rest);
	unsigned int number, pages = INT_MAX;
	struct file *file;
	int err = -EBADF;

	if (!fd || rest || kstrtouint(fd, 10, &number) ||
	    (nr && (kstrtouint(nr, 10, &pages) || !pages || pages > INT_MAX)))
		return dxl_refuse(-EINVAL, fd ?: "flush",
				  "wants a file descriptor, and maybe a number of pages");
	file = fget(number);
	if (file && dxl_flush_fits(session, file))
		err = dxl_pwb_flush(file_inode(file), pages);
	else
		dxl_refuse(err, fd, "no file in page-cache mode of this mount");
	if (file)
		fput(file);
	return err;
}

static const struct {
	const char *name;
	int (*run)(struct dxl_session *session, char *rest);
} dxl_commands[] = {
	{ "bind", dxl_do_bind },
	{ "bridge", dxl_do_bridge },
	{ "role", dxl_do_role },
	{ "unrole", dxl_do_unrole },
	{ "begin", dxl_do_begin },
	{ "end", dxl_do_end },
	{ "seed", dxl_do_seed },
	{ "arm", dxl_do_arm },
	{ "disarm", dxl_do_disarm },
	{ "release", dxl_do_release },
	{ "mark", dxl_do_mark },
	{ "verdict", dxl_do_verdict },
	{ "listing", dxl_do_listing },
	{ "cure", dxl_do_cure },
	{ "record", dxl_do_record },
	{ "rescue", dxl_do_rescue },
};

/**
 * dxl_session_command() - Carry out a command.
 * @session: the session
 * @line: the command, without end of line; changed
 *
 * Context: Process context; "wait" sleeps, without the session's lock.
 * Return: 0 or a negative errno; bad input has a line in the log, and changes
 * nothing.
 */
int dxl_session_command(struct dxl_session *session, char *line)
{
	char *rest = line;
	const char *name = dxl_word(&rest);
	unsigned int i;
	int err;

	if (!name)
		return dxl_refuse(-EINVAL, "", "no command");
	if (!strcmp(name, "wait"))
		return dxl_do_wait(session, rest);
	if (!strcmp(name, "flush"))
		return dxl_do_flush(session, rest);
	for (i = 0; i < ARRAY_SIZE(dxl_commands); i++)
		if (!strcmp(name, dxl_commands[i].name))
			break;
	if (i == ARRAY_SIZE(dxl_commands))
		return dxl_refuse(-EINVAL, name, "no such command");
	mutex_lock(&session->lock);
	dxl_roles_reap(session);
	err = session->over ? -ESHUTDOWN : dxl_commands[i].run(session, rest);
	mutex_unlock(&session->lock);
	return err;
}
