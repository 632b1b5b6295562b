/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Theory of operation
 *
 * The backend for code that the plugin compiled (arena.h has the contract).  There is no
 * stack to switch: a coroutine_fn that has to wait returns to its caller with a frame,
 * and so on up to cpc_backend_run().  The frames remain, each with a pointer to its
 * caller's.  To go on is to call the innermost; when it finishes it names its parent as
 * the next one.  That loop needs no tail calls and no more C stack at any depth.
 *
 *     cpc_begin.cpc -> greet.cpc -> cpc_yield.cpc -> cpc_backend_yield.cpc
 *                  <- greet's frame            <- the arena, for a frame
 *
 * Frames come and go in the order of calls, so the arena is a stack of chunks.  The first
 * lies behind the struct: most coroutines never need another.
 */
#define G_LOG_DOMAIN "cpc"

#include "arena.h"
#include "backend.h"

#include <glib.h>
#include <stdlib.h>

/* Two frames or so: more would cost each coroutine memory, less would cost most of them
 * a second chunk.  The next ones double in size from there. */
#define FIRST_CHUNK_SIZE 128
#define MAX_CHUNK_SIZE   4096

typedef struct {
    Coroutine base;
    CpcArena arena;
    _Alignas(CPC_ARENA_ALIGNMENT) char first[FIRST_CHUNK_SIZE];
} FrameCoroutine;

/* Before a chunk's base: what to go back to. */
typedef struct {
    _Alignas(CPC_ARENA_ALIGNMENT) char *next;
    char *end;
    char *base;
    size_t size;
} Chunk;

_Static_assert(sizeof(Chunk) % CPC_ARENA_ALIGNMENT == 0, "a base is aligned");

/* What the plugin makes of the two functions that it must not compile itself. */
CpcFrame *begin(CpcArena *arena, Coroutine *co) __asm__("cpc_begin.cpc");
CpcFrame *suspend(CpcArena *arena, Coroutine *co) __asm__("cpc_backend_yield.cpc");

static Chunk *chunk_of(char *base)
{
    return (Chunk *)base - 1;
}

static size_t round_up(size_t size)
{
    return (size + CPC_ARENA_ALIGNMENT - 1) & ~(size_t)(CPC_ARENA_ALIGNMENT - 1);
}

static char *chunk_new(size_t size)
{
    Chunk *chunk =
        size <= G_MAXSIZE - sizeof(*chunk) ? malloc(sizeof(*chunk) + size) : NULL;

    if (!chunk) {
        g_error("No memory for %zu bytes of coroutine frames", size);
    }
    chunk->size = size;
    return (char *)(chunk + 1);
}

static void chunk_free(char *base)
{
    if (base) {
        free(chunk_of(base));
    }
}

static size_t next_chunk_size(const CpcArena *arena)
{
    size_t last = arena->base ? chunk_of(arena->base)->size : FIRST_CHUNK_SIZE;

    return MIN(last * 2, MAX_CHUNK_SIZE);
}

void *cpc_arena_grow(CpcArena *arena, size_t size)
{
    char *base = arena->spare;

    arena->spare = NULL;
    if (!base || chunk_of(base)->size < size) {
        chunk_free(base);
        base = chunk_new(MAX(size, next_chunk_size(arena)));
    }
    Chunk *chunk = chunk_of(base);
    chunk->next = arena->next;
    chunk->end = arena->end;
    chunk->base = arena->base;
    arena->base = base;
    arena->next = base + size;
    arena->end = base + chunk->size;
    return base;
}

void *cpc_arena_take(CpcArena *arena, size_t size)
{
    char *taken = arena->next;

    if (size > G_MAXSIZE - CPC_ARENA_ALIGNMENT) {
        g_error("A variable-length array has a negative size");
    }
    /* Not nothing: two of them must not be at one address, nor one at a chunk's base. */
    size = round_up(MAX(size, 1));
    if (size > (size_t)(arena->end - taken)) {
        return cpc_arena_grow(arena, size);
    }
    arena->next = taken + size;
    return taken;
}

static void leave_chunk(CpcArena *arena)
{
    Chunk *chunk = chunk_of(arena->base);

    chunk_free(arena->spare);
    arena->spare = arena->base;
    arena->next = chunk->next;
    arena->end = chunk->end;
    arena->base = chunk->base;
}

void cpc_arena_drop(CpcArena *arena, char *to)
{
    while (arena->base && (to < arena->base || to > arena->end)) {
        leave_chunk(arena);
    }
    if (to == arena->base) {
        leave_chunk(arena);
    } else {
        arena->next = to;
    }
}

void cpc_arena_missing(const char *name)
{
    g_error("'%s' called a coroutine_fn but was not called as one itself", name);
}

Coroutine *cpc_backend_new(void)
{
    FrameCoroutine *self = g_new0(FrameCoroutine, 1);

    self->arena.next = self->first;
    self->arena.end = self->first + sizeof(self->first);
    return &self->base;
}

void cpc_backend_free(Coroutine *co)
{
    FrameCoroutine *self = (FrameCoroutine *)co;

    chunk_free(self->arena.spare);
    g_free(self);
}

static CpcFrame *leaf_of(FrameCoroutine *self)
{
    return (CpcFrame *)&self->arena;
}

/* Call who goes on next until it is the arena, which waits, or nobody. */
static void go_on(FrameCoroutine *self)
{
    self->arena.top = self->arena.parent;
    while (self->arena.top && self->arena.top != leaf_of(self)) {
        self->arena.top->resume(self->arena.top);
    }
}

static void start(FrameCoroutine *self)
{
    CpcFrame *frame = begin(&self->arena, &self->base);

    if (frame) {
        frame->parent = NULL;
    }
    self->arena.top = frame ? leaf_of(self) : NULL;
}

CpcOutcome cpc_backend_run(Coroutine *co)
{
    FrameCoroutine *self = (FrameCoroutine *)co;

    if (self->arena.top) {
        go_on(self);
    } else {
        start(self);
    }
    return self->arena.top ? CPC_YIELDED : CPC_ENDED;
}

CpcFrame *suspend(CpcArena *arena, Coroutine *co)
{
    arena->top = (CpcFrame *)arena;
    return arena->top;
}
