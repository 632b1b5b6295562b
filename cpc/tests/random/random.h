/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * random.h - what the parts of random-program share
 *
 *     program.c  ->  statements.c  ->  values.c
 *
 * One program is written at a time, to stdout.  What is written is decided by the seed
 * alone, so a program can be written again.
 */
#pragma once

#include <inttypes.h>
#include <stdbool.h>

#define MAX_FUNCTIONS 9
#define N_PLAIN       3
#define MAX_PARAMS    10
#define MAX_VARS      40

typedef enum {
    U8,
    U32,
    U64,
    FLOAT,
    DOUBLE,
    LONG_DOUBLE,
    SMALL,   /* in registers */
    FLOATS,  /* in float registers */
    LARGE,   /* in memory */
    MIX,     /* a union */
    VECTOR,  /* aligned more than the arena is */
    POINTER, /* to a u64 of the caller */
    N_TYPES,
    NONE = N_TYPES,
} Type;

typedef struct {
    Type type;
    char name[16];
} Var;

typedef enum {
    COROUTINE,
    MIXED,
    VARIADIC, /* its last parameters are read with va_arg() */
    INLINE,   /* static inline */
    ALWAYS_INLINE,
    N_KINDS,
} Kind;

typedef struct {
    Kind kind;
    Type result;
    Type params[MAX_PARAMS];
    unsigned n_params;
} Function;

typedef struct {
    uint64_t seed;
    Function functions[MAX_FUNCTIONS];
    unsigned n_functions;
    unsigned current; /* the function that is being written */
    Var vars[MAX_VARS];
    unsigned n_vars;
    unsigned n_names, n_labels, indent;
} Program;

extern Program program;
extern const char *const type_names[N_TYPES + 1];

unsigned below(unsigned n);
bool one_in(unsigned n);

/* One line at the current indentation. */
__attribute__((format(printf, 1, 2))) void line(const char *format, ...);
/* A string that lives until the 64th after it. */
__attribute__((format(printf, 1, 2))) const char *text(const char *format, ...);

/* --- values.c ------------------------------------------------------------------------ */

/* Expressions: of type uint64_t or narrower; of a @type that is not POINTER. */
const char *number(void);
const char *value_of(Type type);
/* What is passed for a parameter of @type. */
const char *argument(Type type);

/* Any variable of @type, or NULL. */
Var *find_var(Type type);
bool has_room_for_vars(void);
/* A name for a new variable, which is in scope from now on. */
Var *add_var(Type type, const char *prefix);
/* Write a declaration, or nothing if there is no room. */
void declare_var(Type type);
/* Write that the hash depends on @var. */
void note_var(const Var *var);

/* --- statements.c ---------------------------------------------------------------------- */

/* Write one, with blocks in it down to @depth. */
void statement(unsigned depth);
/* Write a call of a function with a higher number, or a yield. */
void emit_call(void);
void emit_alloca(void);
void print_arguments(const Function *function);

/* --- program.c ----------------------------------------------------------------------------- */

/* "p3_f1" in the third program. */
const char *function_name(unsigned index);
