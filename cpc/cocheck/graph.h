/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * graph.h - who calls whom in a program, over all of its units
 *
 * Ownership:  everything in a graph belongs to it.
 */
#pragma once

#include <glib.h>

typedef enum {
    COCHECK_UNMARKED,
    COCHECK_COROUTINE,
    COCHECK_MIXED,
    COCHECK_START, /* calls a coroutine's entry; calls it an ordinary one */
} CocheckMark;

/* Where a call can happen: as context.h has it. */
typedef enum {
    COCHECK_CALL_IN_COROUTINE = 1,
    COCHECK_CALL_ORDINARY = 2,
} CocheckContext;

typedef struct CocheckFunction CocheckFunction;
typedef struct CocheckPlace CocheckPlace;

typedef struct {
    CocheckFunction *from;
    CocheckFunction *to;   /* NULL: a marked pointer that nothing known is stored in */
    CocheckPlace *through; /* NULL: by name */
    unsigned context;
    unsigned line; /* in from's file */
    gboolean
        is_marked;     /* what is called has the mark, by its own or by the pointer's */
    gboolean is_mixed; /* through a pointer to coroutine_mixed_fn */
} CocheckCall;

struct CocheckFunction {
    char *name;
    char *file; /* NULL: not defined in any unit */
    unsigned line;
    char *type;
    CocheckMark mark;
    gboolean is_local;
    gboolean is_excepted;         /* known not to wait, whatever it calls */
    const CocheckPlace *entry_of; /* kept there, where coroutines are begun or called */
    gboolean is_shown; /* its address goes where we do not see who calls it */
    GPtrArray *calls; /* CocheckCall *, all with a known function or a marked pointer */
    GPtrArray *callers; /* borrowed */

    /* What closure.h finds; each with the call that is the reason. */
    gboolean is_reached, waits, is_ordinary;
    const CocheckCall *reached_by, *waits_by, *ordinary_by;
};

/* What record.h calls so; the names as there. */
struct CocheckPlace {
    char *name;
    GPtrArray *functions; /* CocheckFunction *: whose address is kept here */
    GPtrArray *calls;     /* CocheckCall *: made through it, not yet resolved */
    GPtrArray *copies;    /* CocheckPlace *: where what it holds goes (borrowed) */
};

typedef struct CocheckGraph CocheckGraph;

CocheckGraph *cocheck_graph_new(void);
void cocheck_graph_free(CocheckGraph *graph);

/* Add what one section says. */
void cocheck_graph_add(CocheckGraph *graph, const char *rows);

/*
 * When all has been added: give each call its function.  A name means the strong
 * definitions of it, or if there is none the weak ones.  @by_type: a pointer of unknown
 * origin may be any function of its type whose address is taken.
 */
void cocheck_graph_link(CocheckGraph *graph, gboolean by_type);

/* After linking: all functions called @name are known not to wait.  How many they are. */
unsigned cocheck_graph_except(CocheckGraph *graph, const char *name);

GPtrArray *cocheck_graph_functions(CocheckGraph *graph); /* CocheckFunction * */
GPtrArray *cocheck_graph_places(CocheckGraph *graph);    /* CocheckPlace * */
