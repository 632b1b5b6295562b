/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * arena.h - where compiled continuations live: the contract of plugin and runtime
 *
 * Code that the plugin compiled uses the first words of frames and arenas by their number
 * and calls the functions below that arena.c has.
 *
 * A coroutine_fn "R f(A)" has become "struct { CpcFrame *; R; } f.cpc(CpcArena *, A)", or
 * "CpcFrame *f.cpc(CpcArena *, A)" if it returns nothing.  It starts at once.  NULL says
 * that it has finished; a frame says that it has not, and the caller writes its own frame
 * into that one's parent.  A frame that finishes later writes what it returns behind the
 * words of its parent, and returns that one as who goes on.
 *
 * Frames come and go in the order of calls, with one exception: a function that needs
 * memory only once it has to wait takes it after its callee did.  So of the functions that
 * stop for the first time because of one suspension, the outermost gives back the memory
 * of all; it is whom a function that had waited before, or the runtime, has called.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

typedef struct CpcFrame CpcFrame;
typedef struct CpcArena CpcArena;

struct CpcFrame {
    /* Goes on.  Returns who goes on next, or NULL when it has to wait again. */
    CpcFrame *(*resume)(CpcFrame *frame, CpcArena *arena);
    CpcFrame *parent;
    char *mark; /* what to give back to, or NULL: that is up to a caller */
};

/*
 * The arena of a suspended coroutine stands itself for the innermost frame, which has
 * nothing left to do, and for the parent of the outermost.
 */
struct CpcArena {
    char *next;       /* free from here, a multiple of CPC_ARENA_ALIGNMENT */
    CpcFrame *parent; /* who goes on when the coroutine is entered */
    char *mark; /* while callers stop, one by one: what the last one gives back to */
    char *end;
    char *base;  /* of the chunk in use; NULL: the first one, which is never freed */
    char *spare; /* base of one empty chunk, kept so that a call in a loop at the
                       * end of a chunk does not call malloc() each time; or NULL */
};

_Static_assert(offsetof(CpcArena, parent) == offsetof(CpcFrame, parent) &&
                   offsetof(CpcArena, mark) == offsetof(CpcFrame, mark),
               "an arena stands for a frame");

enum {
    CPC_FRAME_RESUME,
    CPC_FRAME_PARENT,
    CPC_FRAME_MARK,
    CPC_FRAME_N_WORDS,
};

enum {
    CPC_ARENA_NEXT,
    CPC_ARENA_MARK = CPC_FRAME_MARK,
    CPC_ARENA_END,
    CPC_ARENA_BASE,
};

#define CPC_ARENA_ALIGNMENT 16

/*
 * Before C calls what the plugin compiled, with @n arguments.  Clang lets C say nothing to
 * MSan about arguments that have to be defined; the plugin's functions do not know that.
 */
#if defined(__has_feature)
#if __has_feature(memory_sanitizer)
#include <sanitizer/msan_interface.h>
#define cpc_pass_defined(n) __msan_unpoison_param(n)
#endif
#endif
#ifndef cpc_pass_defined
#define cpc_pass_defined(n) ((void)0)
#endif

/* An empty arena that begins with @size bytes at @first, aligned and never freed. */
void cpc_arena_init(CpcArena *arena, char *first, size_t size);
/* Free what an arena that is empty again still holds. */
void cpc_arena_finish(CpcArena *arena);
/* An arena that is empty again and needed a second chunk begins in that one from now on. */
void cpc_arena_move(CpcArena *arena);

/* @size bytes from a new chunk, when there is no room; aborts when there is no memory. */
void *cpc_arena_grow(CpcArena *arena, size_t size);
/* @size bytes of any number: alloca() and variable-length arrays. */
void *cpc_arena_take(CpcArena *arena, size_t size);
/* A frame of @size bytes for the function @resume goes on in, which waits for @callee. */
CpcFrame *cpc_arena_frame(CpcArena *arena, CpcFrame *callee, size_t size,
                          CpcFrame *(*resume)(CpcFrame *frame, CpcArena *arena));
/*
 * For @frame of a large function (plugin/whole.c), which waits for @callee and goes on in
 * @resume.  Returns what the function returns: its frame if it stops for the first time.
 */
CpcFrame *cpc_arena_wait(CpcArena *arena, CpcFrame *callee, CpcFrame *frame,
                         CpcFrame *(*resume)(CpcFrame *frame, CpcArena *arena));
/* The same as it finishes; its parent, if it has had to wait. */
CpcFrame *cpc_arena_end(CpcArena *arena, CpcFrame *frame);
/* Give back what was taken since @to was, and @to. */
void cpc_arena_drop(CpcArena *arena, char *to);

/*
 * Give back a scope of variable-length arrays in a function that has waited meanwhile.  If
 * the scope was entered before that, its @mark is even and the memory stays until the
 * function ends: its callers' frames may lie above.
 */
void cpc_arena_leave_scope(CpcArena *arena, char *mark);

/* A coroutine_fn was called where there is no arena: @name is who called it.  Aborts. */
void cpc_arena_missing(const char *name);

static inline void cpc_arena_settle(CpcArena *arena)
{
    if (__builtin_expect(arena->spare != NULL, 0)) {
        cpc_arena_move(arena);
    }
}

/* --- the loop that resumes, for a runtime to be made of ----------------------------------- */

static inline CpcFrame *cpc_arena_as_frame(CpcArena *arena)
{
    return (CpcFrame *)arena;
}

/* What the function that suspends returns. */
static inline CpcFrame *cpc_arena_suspend(CpcArena *arena)
{
    arena->mark = arena->next;
    return cpc_arena_as_frame(arena);
}

/* The coroutine's entry has been called, which returned @frame.  Whether it waits. */
static inline bool cpc_arena_start(CpcArena *arena, CpcFrame *frame)
{
    if (frame) {
        frame->parent = cpc_arena_as_frame(arena);
        frame->mark = arena->mark;
    }
    return frame;
}

/* Let a coroutine that waits go on, until it waits again or has ended.  Whether it waits. */
static inline bool cpc_arena_go_on(CpcArena *arena)
{
    CpcFrame *frame = arena->parent;

    /* Nobody goes on if all that waited had handed their place on: it has ended. */
    while (frame && frame != cpc_arena_as_frame(arena)) {
        cpc_pass_defined(2);
        frame = frame->resume(frame, arena);
    }
    return !frame;
}
