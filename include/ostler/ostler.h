/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ostler.h - libostler: look after this user's QEMU guests
 *
 * There is no daemon to connect to.  An OstlerHost is a view of the user's guests:
 * definitions in their configuration folder, and for each running guest one
 * ostler-keeper process that the library asks over a local socket.  Whatever is
 * done here is seen at once by every other program that uses the library, the
 * ostler command included, which is itself a client of nothing but this header.
 *
 * A keeper that was killed leaves its guest running and unattended.  Whichever call
 * touches such a guest next starts a new keeper for it first; callers see the
 * guest's state as if nothing had happened.
 *
 * Strings:    UTF-8, except paths, which are the system's bytes.
 * Units:      times are microseconds since the Unix epoch (UTC), 0 when unknown;
 *             timeouts are milliseconds, 0 to look without waiting, -1 for ever.
 * Ownership:  what a function returns as a plain pointer belongs to the caller and
 *             goes back by the _free() of its type; a char * by ostler_free(), a
 *             char ** by ostler_strings_free().  A const char *, and what an _at()
 *             returns, is borrowed from the object it was asked of.  Every _free()
 *             takes NULL.  Structures are allocated by the library and may
 *             grow at their end in later versions: never declare one, nor copy it.
 *             OstlerSetting, OstlerStartOptions and OstlerShare alone are the caller's.
 * Errors:     what can fail takes an OstlerError ** last, which may be NULL, and
 *             says so in its return value too: false, NULL or -1.
 * Threads:    a host and everything that came from it belong to one thread at a
 *             time; different hosts may be used in different threads at once.  The
 *             library starts no thread, installs no signal handler and leaves the
 *             caller's main loop alone.
 */
#ifndef OSTLER_H
#define OSTLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define OSTLER_API __attribute__((visibility("default")))

/* The library's version, "0.1.0". */
OSTLER_API const char *ostler_version(void);
OSTLER_API void ostler_free(void *memory);
OSTLER_API void ostler_strings_free(char **strings);

/* --- Errors --------------------------------------------------------------------- */

/* The values are also the exit codes of the ostler command. */
typedef enum {
    OSTLER_ERROR_FAILED = 1,     /* the system, QEMU or the guest refused */
    OSTLER_ERROR_ARGUMENT = 2,   /* the call makes no sense: a caller's mistake */
    OSTLER_ERROR_NO_GUEST = 3,   /* no guest of that name */
    OSTLER_ERROR_STATE = 4,      /* not in this state: already running, not running */
    OSTLER_ERROR_DEFINITION = 5, /* the definition is wrong, or does not fit */
    OSTLER_ERROR_TIMED_OUT = 6,
} OstlerErrorCode;

typedef struct OstlerError OstlerError;

OSTLER_API OstlerErrorCode ostler_error_code(const OstlerError *error);
/* One or more sentences for a person, without a final full stop or newline. */
OSTLER_API const char *ostler_error_message(const OstlerError *error);
OSTLER_API void ostler_error_free(OstlerError *error);

/* --- Host ----------------------------------------------------------------------- */

typedef struct OstlerHost OstlerHost;
typedef struct OstlerGuest OstlerGuest;

/* This user's guests on this machine; $OSTLER_HOME chooses another set. */
OSTLER_API OstlerHost *ostler_host_open(OstlerError **error);
/* Objects that came from the host must have been freed before. */
OSTLER_API void ostler_host_free(OstlerHost *host);

/* Virsh's states, and "starting" for the moment before QEMU answers. */
typedef enum {
    OSTLER_STATE_SHUT_OFF,
    OSTLER_STATE_STARTING,
    OSTLER_STATE_RUNNING,
    OSTLER_STATE_PAUSED,
    OSTLER_STATE_IN_SHUTDOWN, /* asked to power off, has not yet */
    OSTLER_STATE_CRASHED,     /* its kernel panicked and it was kept to be looked at */
} OstlerState;
#define OSTLER_N_STATES (OSTLER_STATE_CRASHED + 1)

/* Why it is in its state: libvirt's reasons, as virsh domstate --reason says them. */
typedef enum {
    OSTLER_REASON_UNKNOWN,
    OSTLER_REASON_BOOTED,
    OSTLER_REASON_UNPAUSED,
    OSTLER_REASON_USER,        /* paused or shutting down because it was asked to */
    OSTLER_REASON_STARTING_UP, /* paused since its start */
    OSTLER_REASON_IO_ERROR,    /* paused by a disk's error, a full disk for example */
    OSTLER_REASON_WATCHDOG,
    OSTLER_REASON_SHUTDOWN,  /* off: the guest powered itself off */
    OSTLER_REASON_DESTROYED, /* off: somebody ended it */
    OSTLER_REASON_CRASHED,   /* off: QEMU died */
    OSTLER_REASON_FAILED,    /* off: it did not start */
    OSTLER_REASON_PANICKED,
    OSTLER_REASON_LOST, /* off: QEMU, keeper and host went together: a power cut */
} OstlerReason;
#define OSTLER_N_REASONS (OSTLER_REASON_LOST + 1)

/* "shut off", "in shutdown"; "booted", "I/O error".  Never NULL. */
OSTLER_API const char *ostler_state_text(OstlerState state);
OSTLER_API const char *ostler_reason_text(OstlerReason reason);

typedef struct OstlerGuestEntry {
    const char *name;
    OstlerState state;
    OstlerReason reason;
    int pid;            /* of QEMU; 0 when off */
    int64_t started_at; /* 0 when off */
    bool is_defined; /* false: runs without a stored definition, see ostler_host_run */
    bool is_autostarted;
} OstlerGuestEntry;

typedef struct OstlerGuestList OstlerGuestList;

enum {
    OSTLER_LIST_ACTIVE = 1 << 0,   /* not shut off */
    OSTLER_LIST_INACTIVE = 1 << 1, /* shut off */
    OSTLER_LIST_ALL = OSTLER_LIST_ACTIVE | OSTLER_LIST_INACTIVE,
};

/*
 * The guests, by name.  Made to be fast (a thousand in some milliseconds): no
 * definition is read, so one that is wrong is listed as well.
 */
OSTLER_API OstlerGuestList *ostler_host_list(OstlerHost *host, unsigned flags,
                                             OstlerError **error);
OSTLER_API size_t ostler_guest_list_size(const OstlerGuestList *list);
OSTLER_API const OstlerGuestEntry *ostler_guest_list_at(const OstlerGuestList *list,
                                                        size_t i);
OSTLER_API void ostler_guest_list_free(OstlerGuestList *list);

/* The guest of this name; NO_GUEST when it is neither defined nor running. */
OSTLER_API OstlerGuest *ostler_host_find(OstlerHost *host, const char *name,
                                         OstlerError **error);

/* --- Definitions ---------------------------------------------------------------- */

/* One "key = value" of a section: { "disk.root", "file", "/data/root.qcow2" }. */
typedef struct OstlerSetting {
    const char *section;
    const char *key;
    const char *value;
} OstlerSetting;

/*
 * Compose a definition's text from settings, in their order, checking each; a list key
 * is given several times.  A line of a definition knows no escapes, so what it cannot
 * carry in a value is refused: control characters, and blanks at either end.
 */
OSTLER_API char *ostler_host_compose(OstlerHost *host, const OstlerSetting *settings,
                                     size_t n_settings, OstlerError **error);

/*
 * Check and store a definition, in place of the one of the same name if there is one;
 * a running guest goes on as it was started.  @text NULL: read it from @file.  @file
 * otherwise names the text in messages, and relative paths start from its folder; one
 * called NAME.guest names the guest as well if [guest] does not.
 */
OSTLER_API OstlerGuest *ostler_host_define(OstlerHost *host, const char *text,
                                           const char *file, OstlerError **error);
/*
 * The same under @name, whatever the text says; NULL: as ostler_host_define().
 * @out_is_new:  NULL, or set to whether no guest of that name was defined before.
 */
OSTLER_API OstlerGuest *ostler_host_define_as(OstlerHost *host, const char *text,
                                              const char *file, const char *name,
                                              bool *out_is_new, OstlerError **error);

/* Check only, as ostler_host_define() would. */
OSTLER_API bool ostler_host_check(OstlerHost *host, const char *text, const char *file,
                                  OstlerError **error);

typedef enum {
    OSTLER_DEFINITION_TEXT, /* the key file as it is stored */
    OSTLER_DEFINITION_JSON, /* sections and keys as an object, one line */
} OstlerDefinitionFormat;

/*
 * The stored definition, or with @as_started the one that the running guest was
 * started with (STATE when it is off).
 */
OSTLER_API char *ostler_guest_definition(OstlerGuest *guest,
                                         OstlerDefinitionFormat format, bool as_started,
                                         OstlerError **error);

/* Forget the definition.  A running guest goes on and is forgotten when it ends. */
OSTLER_API bool ostler_guest_undefine(OstlerGuest *guest, OstlerError **error);

/* What of a libvirt domain did not come along as it was; in the XML's order. */
typedef struct OstlerImportNote {
    const char *path; /* in the XML: "/domain/devices/disk[2]/driver/@iothread" */
    const char *what; /* why, in a sentence */
    bool is_lost;     /* false: carried over but changed, or not needed */
    bool is_needed;   /* false: it has no meaning here, and @what says why */
    unsigned line;
    const char *value; /* what stood there: one line, printable, shortened */
} OstlerImportNote;

typedef struct OstlerImport OstlerImport;

/* Turn libvirt domain XML into a definition; nothing is stored.  @file names it. */
OSTLER_API OstlerImport *ostler_host_import(OstlerHost *host, const char *xml,
                                            size_t size, const char *file,
                                            OstlerError **error);
OSTLER_API const char *ostler_import_definition(const OstlerImport *import);
OSTLER_API size_t ostler_import_size(const OstlerImport *import);
OSTLER_API const OstlerImportNote *ostler_import_at(const OstlerImport *import,
                                                    size_t i);
OSTLER_API void ostler_import_free(OstlerImport *import);

/* --- A guest -------------------------------------------------------------------- */

OSTLER_API const char *ostler_guest_name(const OstlerGuest *guest);
OSTLER_API void ostler_guest_free(OstlerGuest *guest); /* the guest itself goes on */

typedef struct OstlerStartOptions {
    bool is_paused;        /* stop before the first instruction */
    bool ends_with_keeper; /* QEMU dies if its keeper does, instead of being adopted */
    int timeout_ms;        /* for QEMU to answer; 0: the default, 30 s */
} OstlerStartOptions;

/*
 * Start it and return when it runs (or is paused, if that was asked).  STATE when it
 * is running already, also when another program started it a moment before.  Messages
 * of a QEMU that refused are in QEMU's own words.
 * @options:    NULL for none.
 * @out_notes:  NULL, or set to sentences on what is not quite as asked ("KVM does not
 *              work here: ...; using TCG"), NULL-terminated, NULL itself when none.
 */
OSTLER_API bool ostler_guest_start(OstlerGuest *guest,
                                   const OstlerStartOptions *options, char ***out_notes,
                                   OstlerError **error);

/* Define and start in one; the definition lives as long as the guest runs. */
OSTLER_API OstlerGuest *ostler_host_run(OstlerHost *host, const char *text,
                                        const char *file,
                                        const OstlerStartOptions *options,
                                        char ***out_notes, OstlerError **error);

/*
 * The QEMU command line that a start would use now (argv, NULL-terminated); the
 * descriptors that it names are made by the keeper.  Starts nothing but, perhaps, a
 * probe of the machine.
 */
OSTLER_API char **ostler_guest_plan(OstlerGuest *guest, char ***out_notes,
                                    OstlerError **error);

/*
 * All of these need a guest that is on, and return when QEMU has accepted; for the
 * effect, use ostler_guest_wait().
 */
OSTLER_API bool ostler_guest_shutdown(OstlerGuest *guest, OstlerError **error);
OSTLER_API bool ostler_guest_reboot(OstlerGuest *guest, OstlerError **error);
OSTLER_API bool ostler_guest_reset(OstlerGuest *guest, OstlerError **error);
OSTLER_API bool ostler_guest_suspend(OstlerGuest *guest, OstlerError **error);
OSTLER_API bool ostler_guest_resume(OstlerGuest *guest, OstlerError **error);

/* End it at once, like pulling the plug; returns when it is off. */
OSTLER_API bool ostler_guest_destroy(OstlerGuest *guest, OstlerError **error);

/* @out_reason may be NULL. */
OSTLER_API bool ostler_guest_state(OstlerGuest *guest, OstlerState *out_state,
                                   OstlerReason *out_reason, OstlerError **error);

/* For OstlerState s, 1u << s. */
#define OSTLER_STATE_MASK(state) (1u << (state))

/*
 * Wait until the state is one of @states (a mask); woken by events, never by polling.
 * TIMED_OUT when it did not come, STATE when the guest is off and that was not asked
 * for.  @out_state may be NULL.
 */
OSTLER_API bool ostler_guest_wait(OstlerGuest *guest, unsigned states, int timeout_ms,
                                  OstlerState *out_state, OstlerError **error);

/* What is known of a guest; of the definition when it is off. */
typedef struct OstlerGuestInfo {
    const char *name;
    const char *uuid; /* NULL: none */
    OstlerState state;
    OstlerReason reason;
    const char *why; /* QEMU's or the keeper's last words on the reason, or NULL */
    bool is_defined;
    bool is_autostarted;
    bool ends_with_keeper;
    const char *arch;
    const char *machine;
    const char *accel; /* NULL when off */
    unsigned cpus;
    uint64_t memory_bytes;
    int pid;                   /* of QEMU; 0 when off */
    int keeper_pid;            /* 0 when off */
    int64_t started_at;        /* 0 when off */
    int64_t ended_at;          /* 0 when it has not run, or is on */
    const char *run_directory; /* monitors, logs: <run_directory>/qmp-user.sock */
} OstlerGuestInfo;

OSTLER_API OstlerGuestInfo *ostler_guest_info(OstlerGuest *guest, OstlerError **error);
OSTLER_API void ostler_guest_info_free(OstlerGuestInfo *info);

/* --- Shares --------------------------------------------------------------------- */

/* A folder of the host that the guest sees: [share.NAME] of a definition. */
typedef struct OstlerShare {
    const char *name;
    const char *path;
    const char *title; /* what the guest shows; NULL: the folder's name */
    bool is_read_only;
} OstlerShare;

/* What a change is made to: virsh's --live and --config.  0 is the running guest if it
 * runs, and its definition otherwise. */
enum {
    OSTLER_CHANGE_LIVE = 1 << 0,   /* the guest that runs; STATE when it is off */
    OSTLER_CHANGE_CONFIG = 1 << 1, /* the stored definition */
};

/*
 * Show the guest one folder more; of a running guest, return when it can see it.  STATE
 * when there is a share of that name already.  With both flags the running guest comes
 * first, and if that fails the definition stays as it was.
 */
OSTLER_API bool ostler_guest_attach_share(OstlerGuest *guest, const OstlerShare *share,
                                          unsigned flags, OstlerError **error);
/* Take it away again; what the guest has under way in it ends with an error. */
OSTLER_API bool ostler_guest_detach_share(OstlerGuest *guest, const char *name,
                                          unsigned flags, OstlerError **error);

/*
 * Change how much the guest may fill a share with: settings whose keys are "quota",
 * "quota-objects" and "reserve" of ostler-definition(5); their sections are not looked
 * at.  A running guest is told at once (StorageInfoChanged).
 */
OSTLER_API bool ostler_guest_set_share(OstlerGuest *guest, const char *name,
                                       const OstlerSetting *settings, size_t n_settings,
                                       unsigned flags, OstlerError **error);

/* A share that a guest has, and what is in it. */
typedef struct OstlerShareInfo {
    OstlerShare share;
    uint64_t quota_bytes; /* 0: none */
    uint64_t quota_objects;
    int64_t used_bytes; /* -1 when nobody counts: without a quota, or not shown now */
    int64_t used_objects;
    int64_t free_bytes; /* what the guest may add; -1 when it is not shown now */
} OstlerShareInfo;

typedef struct OstlerGuestShares OstlerGuestShares;

/* The shares of a running guest, or those in the definition of one that is off.  Without
 * @is_counted what is in them is not asked for, which takes some time. */
OSTLER_API OstlerGuestShares *ostler_guest_shares(OstlerGuest *guest, bool is_counted,
                                                  OstlerError **error);
OSTLER_API size_t ostler_guest_shares_size(const OstlerGuestShares *shares);
OSTLER_API const OstlerShareInfo *ostler_guest_share(const OstlerGuestShares *shares,
                                                     size_t i);
OSTLER_API void ostler_guest_shares_free(OstlerGuestShares *shares);

/* --- Network addresses ---------------------------------------------------------- */

typedef struct OstlerGuestAddress {
    const char *nic; /* the label of the definition's section: "0" of [nic.0] */
    const char *mac;
    const char *address; /* "10.0.2.15", "fe80::5054:ff:fe12:3456" */
    unsigned prefix;     /* 24; 0 when the source does not say */
    bool is_ipv6;
    const char *source; /* "dhcp", "arp", "nd", "agent", ... */
    int64_t seen_at;
    int64_t expires_at; /* 0: the source knows none */
} OstlerGuestAddress;

/* A port of the host that leads into the guest. */
typedef struct OstlerGuestForward {
    const char *nic;
    const char *protocol;     /* "tcp" or "udp" */
    const char *host_address; /* "" for all */
    unsigned host_port;
    const char *guest_address; /* "" for the guest's first */
    unsigned guest_port;
} OstlerGuestForward;

typedef struct OstlerGuestNet OstlerGuestNet;

/*
 * The guest's addresses as far as they are known, waiting up to @timeout_ms for a first
 * one (TIMED_OUT when none came; with 0, none is an empty answer).
 */
OSTLER_API OstlerGuestNet *ostler_guest_net(OstlerGuest *guest, int timeout_ms,
                                            OstlerError **error);
OSTLER_API size_t ostler_guest_net_n_addresses(const OstlerGuestNet *net);
OSTLER_API const OstlerGuestAddress *ostler_guest_net_address(const OstlerGuestNet *net,
                                                              size_t i);
OSTLER_API size_t ostler_guest_net_n_forwards(const OstlerGuestNet *net);
OSTLER_API const OstlerGuestForward *ostler_guest_net_forward(const OstlerGuestNet *net,
                                                              size_t i);
OSTLER_API void ostler_guest_net_free(OstlerGuestNet *net);

/* --- Console, monitor, log, events ---------------------------------------------- */

/*
 * Attach to the guest's serial console: a connected stream socket that the caller
 * reads, writes and closes; the guest goes on either way.  With @replay the last
 * output (up to 64 KiB) comes first.  Several may be attached; all see the output.
 * The socket ends when the guest does.
 */
OSTLER_API int ostler_guest_console(OstlerGuest *guest, bool replay,
                                    OstlerError **error);

/*
 * Run one QMP command, {"execute": ..., "arguments": ...}, and return QEMU's whole
 * answer as one line of JSON, with its "return" or its "error" member.
 */
OSTLER_API char *ostler_guest_qmp(OstlerGuest *guest, const char *command,
                                  int timeout_ms, OstlerError **error);

typedef enum {
    OSTLER_LOG_KEEPER,  /* the keeper's and the side programs' messages */
    OSTLER_LOG_QEMU,    /* QEMU's standard error */
    OSTLER_LOG_CONSOLE, /* the guest's serial output; the oldest part is dropped */
} OstlerLog;

/* The present or last run's log; an empty string when there is none. */
OSTLER_API char *ostler_guest_log(OstlerGuest *guest, OstlerLog which, size_t *out_size,
                                  OstlerError **error);

/* Start it when the user's systemd instance starts, or no longer. */
OSTLER_API bool ostler_guest_set_autostart(OstlerGuest *guest, bool on,
                                           OstlerError **error);

typedef struct OstlerEvents OstlerEvents;

/*
 * Follow a running guest.  Events are "state" ({"state": "paused", "reason": "user"}),
 * "address" and "qmp" ({"event": QEMU's name, "data": ...}).
 */
OSTLER_API OstlerEvents *ostler_guest_events(OstlerGuest *guest, OstlerError **error);
/*
 * The next event as one line of JSON, {"event": name, "data": object}.  NULL with
 * TIMED_OUT, or with STATE after the last event: the guest is off.
 */
OSTLER_API char *ostler_events_next(OstlerEvents *events, int timeout_ms,
                                    OstlerError **error);
/* Becomes readable when ostler_events_next() may have something; borrowed. */
OSTLER_API int ostler_events_fd(const OstlerEvents *events);
OSTLER_API void ostler_events_free(OstlerEvents *events);

/* --- Machines ------------------------------------------------------------------- */

/*
 * What QEMU offers, as JSON: the names of @arch's machines as an array, or with
 * @machine the buses, slots and devices of that one as an object.  @emulator NULL:
 * qemu-system-<arch> in PATH.
 */
OSTLER_API char *ostler_host_machines(OstlerHost *host, const char *arch,
                                      const char *machine, const char *emulator,
                                      OstlerError **error);

/*
 * What each machine of @arch gives a guest: an array of objects with "machine" and what
 * its "disk", "nic", "console" and "share" would be; what it has no place for is absent
 * and explained under "reasons", and a machine that cannot be used has a "refusal".
 * Every machine is asked for the first time, which takes minutes, and remembered.
 */
OSTLER_API char *ostler_host_machine_table(OstlerHost *host, const char *arch,
                                           const char *emulator, OstlerError **error);

#ifdef __cplusplus
}
#endif

#endif
