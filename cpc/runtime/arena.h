/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * arena.h - where compiled continuations live: the contract of plugin and runtime
 *
 * Code that the plugin compiled uses the first words of an arena by their number and
 * calls the functions below that arena.c has; continuation.c does the rest.
 *
 * A coroutine_fn "R f(A)" has become "CpcFrame *f.cpc(CpcArena *, R *, A)", without the
 * R * if it returns nothing.  It starts at once.  NULL says that it has finished; a frame
 * says that it has not, and the caller writes its own frame into that one's parent.  A
 * frame that finishes later stores its parent into the arena's top.
 */
#pragma once

#include <stddef.h>

typedef struct CpcFrame CpcFrame;

/* The head of LLVM's switched-resume coroutine frame; parent is its "promise". */
struct CpcFrame {
    void (*resume)(CpcFrame *frame);
    void (*destroy)(CpcFrame *frame);
    CpcFrame *parent;
};

/*
 * The arena of a suspended coroutine stands itself for the innermost frame, which has
 * nothing left to do: so its parent is where that of a CpcFrame is.
 */
typedef struct {
    char *next; /* free from here, a multiple of CPC_ARENA_ALIGNMENT */
    char *end;
    CpcFrame *parent; /* who goes on when the coroutine is entered */
    CpcFrame *top;    /* who goes on next; NULL: the coroutine has ended */
    char *base;  /* of the chunk in use; NULL: the first one, which is never freed */
    char *spare; /* base of one empty chunk, kept so that a call in a loop at the
                       * end of a chunk does not call malloc() each time; or NULL */
} CpcArena;

_Static_assert(offsetof(CpcArena, parent) == offsetof(CpcFrame, parent),
               "an arena stands for a frame");

enum {
    CPC_ARENA_NEXT,
    CPC_ARENA_END,
    CPC_ARENA_PARENT,
    CPC_ARENA_TOP,
    CPC_ARENA_BASE,
};

#define CPC_ARENA_ALIGNMENT 16

/* An empty arena that begins with @size bytes at @first, aligned and never freed. */
void cpc_arena_init(CpcArena *arena, char *first, size_t size);
/* Free what an arena that is empty again still holds. */
void cpc_arena_finish(CpcArena *arena);

/* @size bytes from a new chunk, when there is no room; aborts when there is no memory. */
void *cpc_arena_grow(CpcArena *arena, size_t size);
/* @size bytes of any number: alloca() and variable-length arrays. */
void *cpc_arena_take(CpcArena *arena, size_t size);
/* Give back what was taken since @to was, and @to. */
void cpc_arena_drop(CpcArena *arena, char *to);

/* A coroutine_fn was called where there is no arena: @name is who called it.  Aborts. */
void cpc_arena_missing(const char *name);
