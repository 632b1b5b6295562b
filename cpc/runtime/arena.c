/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Theory of operation
 *
 * An arena is a stack of chunks.  The first
 * belongs to the coroutine; the next ones come from malloc() and double in size.  This
 * file knows no coroutine: it goes with any runtime that runs what the plugin compiled.
 */
#include "arena.h"

#include "system.h"

#include <stdint.h>

/* With the chunk's head and malloc()'s word 256 bytes, which then double. */
#define MIN_CHUNK_SIZE 192
#define MAX_CHUNK_SIZE 4096

/* Before a chunk's base: what to go back to. */
typedef struct {
    _Alignas(CPC_ARENA_ALIGNMENT) char *next;
    char *end;
    char *base;
    size_t size;
} Chunk;

_Static_assert(sizeof(Chunk) % CPC_ARENA_ALIGNMENT == 0, "a base is aligned");

static Chunk *chunk_of(char *base)
{
    return (Chunk *)base - 1;
}

static size_t round_up(size_t size)
{
    return (size + CPC_ARENA_ALIGNMENT - 1) & ~(size_t)(CPC_ARENA_ALIGNMENT - 1);
}

static size_t max(size_t a, size_t b)
{
    return a > b ? a : b;
}

static char *chunk_new(size_t size)
{
    Chunk *chunk =
        size <= SIZE_MAX - sizeof(*chunk) ? cpc_allocate(sizeof(*chunk) + size) : NULL;

    if (!chunk) {
        cpc_fatal("No memory for %zu bytes of coroutine frames", size);
    }
    chunk->size = size;
    return (char *)(chunk + 1);
}

static void chunk_free(char *base)
{
    if (base) {
        cpc_release(chunk_of(base));
    }
}

static size_t next_chunk_size(const CpcArena *arena)
{
    size_t twice = arena->base ? chunk_of(arena->base)->size * 2 : MIN_CHUNK_SIZE;

    return twice < MAX_CHUNK_SIZE ? twice : MAX_CHUNK_SIZE;
}

void *cpc_arena_grow(CpcArena *arena, size_t size)
{
    char *base = arena->spare;

    arena->spare = NULL;
    if (!base || chunk_of(base)->size < size) {
        chunk_free(base);
        base = chunk_new(max(size, next_chunk_size(arena)));
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

    if (size > SIZE_MAX - CPC_ARENA_ALIGNMENT) {
        cpc_fatal("A variable-length array has a negative size");
    }
    /* Not nothing: two of them must not be at one address, nor one at a chunk's base. */
    size = round_up(max(size, 1));
    if (size > (size_t)(arena->end - taken)) {
        return cpc_arena_grow(arena, size);
    }
    arena->next = taken + size;
    return taken;
}

CpcFrame *cpc_arena_frame(CpcArena *arena, CpcFrame *callee, size_t size,
                          CpcFrame *(*resume)(CpcFrame *frame, CpcArena *arena))
{
    CpcFrame *frame = cpc_arena_take(arena, size);

    frame->resume = resume;
    frame->mark = NULL;
    callee->parent = frame;
    return frame;
}

CpcFrame *cpc_arena_wait(CpcArena *arena, CpcFrame *callee, CpcFrame *frame,
                         CpcFrame *(*resume)(CpcFrame *frame, CpcArena *arena))
{
    bool is_first_time = !frame->parent;

    frame->resume = resume;
    callee->parent = frame;
    if (is_first_time) {
        arena->mark = frame->mark;
        frame->mark = NULL;
        return frame;
    }
    if (callee != cpc_arena_as_frame(arena)) {
        callee->mark = arena->mark;
    }
    return NULL;
}

/* Of two chunks keep the larger: calls that go as deep again then fit into one. */
static void leave_chunk(CpcArena *arena)
{
    Chunk *chunk = chunk_of(arena->base);
    bool is_larger = !arena->spare || chunk->size > chunk_of(arena->spare)->size;
    char *smaller = is_larger ? arena->spare : arena->base;

    arena->spare = is_larger ? arena->base : arena->spare;
    arena->next = chunk->next;
    arena->end = chunk->end;
    arena->base = chunk->base;
    chunk_free(smaller);
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

CpcFrame *cpc_arena_end(CpcArena *arena, CpcFrame *frame)
{
    CpcFrame *parent = frame->parent;
    char *mark = frame->mark;

    if (mark) {
        /* base < mark <= end, in one comparison. */
        if ((uintptr_t)mark - (uintptr_t)arena->base - 1 <
            (uintptr_t)arena->end - (uintptr_t)arena->base) {
            arena->next = mark;
        } else {
            cpc_arena_drop(arena, mark);
        }
    }
    return parent;
}

void cpc_arena_leave_scope(CpcArena *arena, char *mark)
{
    if ((uintptr_t)mark % 2 != 0) {
        cpc_arena_drop(arena, mark - 1);
    }
}

void cpc_arena_missing(const char *name)
{
    cpc_fatal("'%s' called a coroutine_fn but was not called as one itself", name);
}

void cpc_arena_init(CpcArena *arena, char *first, size_t size)
{
    *arena = (CpcArena){ .next = first, .end = first + size };
}

void cpc_arena_move(CpcArena *arena)
{
    if (arena->base || chunk_of(arena->spare)->size > MAX_CHUNK_SIZE) {
        chunk_free(arena->spare);
        arena->spare = NULL;
    } else {
        /* Not from its base on: who began there would leave the chunk at its end. */
        cpc_arena_grow(arena, CPC_ARENA_ALIGNMENT);
    }
}

void cpc_arena_finish(CpcArena *arena)
{
    chunk_free(arena->spare);
    chunk_free(arena->base);
}
