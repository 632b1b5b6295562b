/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * random-program FIRST N [SIZE] - print N programs that use coroutines in every way that
 * C allows, as one C file
 *
 * Each program is written from a seed of its own, FIRST and on, and runs two or three
 * coroutines in turn; the file's main() runs one after the other and prints a line for
 * each: the seed, and a hash of all that it did.  Behaviour is defined by the standard and
 * by coroutine.h, so the line must not depend on the backend or on the -O level; differ.sh
 * compares them.  SIZE is small (two short functions a program, so that many programs can be
 * tried), medium (two to four) or large (nine long ones).
 *
 * How it ends:   every call and every round of a loop takes one from "fuel"; without fuel
 *                functions return and loops end.
 * How it stays defined:  integers are unsigned, floats stay small, and every variable has
 *                a value from its declaration on.
 * Who calls whom:  a function calls those with higher numbers, and itself.
 */
#include "random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Program program;
static unsigned long long seed;
static enum { SMALL_SIZE, MEDIUM_SIZE, LARGE_SIZE } size;

const char *function_name(unsigned index)
{
    return text("p%llu_f%u", seed, index);
}

/* --- functions ------------------------------------------------------------------------- */

/* What goes through dots.  Clang itself passes a 32-byte vector at 16 bytes of alignment
 * and looks for it at 32. */
static Type promoted(Type type)
{
    return type == U8 ? U32 : type == FLOAT ? DOUBLE : type == VECTOR ? U64 : type;
}

static Kind choose_kind(void)
{
    return one_in(2) ? COROUTINE : below(N_KINDS);
}

static void choose_function(Function *function)
{
    function->kind = choose_kind();
    function->result = below(N_TYPES + 1);
    if (function->result == POINTER) {
        function->result = NONE;
    }
    function->n_params =
        one_in(4) ? below(MAX_PARAMS + 1) : below(size == SMALL_SIZE ? 3 : 5);
    for (unsigned i = 0; i < function->n_params; i++) {
        Type type = below(N_TYPES);
        function->params[i] = function->kind == VARIADIC ? promoted(type) : type;
    }
}

static const char *mark_of(Kind kind)
{
    return kind == MIXED      ? "coroutine_mixed_fn"
           : kind == VARIADIC ? "coroutine_variadic_fn"
                              : "coroutine_fn";
}

static void print_parameters(const Function *function)
{
    if (function->kind == VARIADIC) {
        printf("unsigned n, ...)");
        return;
    }
    for (unsigned i = 0; i < function->n_params; i++) {
        printf("%s%s q%u", i ? ", " : "", type_names[function->params[i]], i);
    }
    printf("%s)", function->n_params ? "" : "void");
}

static void print_head(const Function *function, const char *before, const char *name)
{
    printf("%s%s %s %s(", before, type_names[function->result], mark_of(function->kind),
           name);
    print_parameters(function);
}

static const char *linkage_of(Kind kind)
{
    switch (kind) {
    case INLINE:
        return "static inline ";
    case ALWAYS_INLINE:
        return "static inline __attribute__((always_inline)) ";
    default:
        return "static ";
    }
}

static void declare_function(unsigned index)
{
    const Function *function = &program.functions[index];
    const char *name = function_name(index);

    print_head(function, linkage_of(function->kind), name);
    printf(";\nstatic unsigned depth_%s;\n", name);
    if (function->kind != VARIADIC && function->kind != ALWAYS_INLINE) {
        print_head(function, "static ", text("(*volatile to_%s)", name));
        printf(" = %s;\n", name);
    }
}

static void print_return(const Function *function)
{
    if (function->result == NONE) {
        line("return;");
    } else {
        line("return %s;", value_of(function->result));
    }
}

/* A va_list lives over suspensions, and now and then in two copies. */
static void take_variadic(const Function *function)
{
    line("va_list args;");
    line("va_start(args, n);");
    for (unsigned i = 0; i < function->n_params; i++) {
        Var *var = add_var(function->params[i], "q");
        if (one_in(3)) {
            line("cpc_yield();");
        }
        line("%s %s = va_arg(args, %s);", type_names[var->type], var->name,
             type_names[var->type]);
    }
    line("va_end(args);");
    line("note(n);");
}

static void take_parameters(const Function *function)
{
    for (unsigned i = 0; function->kind != VARIADIC && i < function->n_params; i++) {
        Var *var = &program.vars[program.n_vars++];
        var->type = function->params[i];
        snprintf(var->name, sizeof(var->name), "q%u", i);
    }
}

static void print_declarations(void)
{
    static const unsigned n_declared[] = { 0, 1, 2 };

    declare_var(U64);
    for (unsigned n = n_declared[size]; n > 0; n--) {
        declare_var(below(N_TYPES));
    }
}

static void print_statements(void)
{
    unsigned depth = size == LARGE_SIZE ? 2 : 1;

    if (size == SMALL_SIZE) {
        statement(depth);
        if (program.current + 1 < program.n_functions || one_in(3)) {
            emit_call();
        }
        return;
    }
    for (unsigned n = size == LARGE_SIZE ? 2 + below(3) : 1 + below(2); n > 0; n--) {
        statement(depth);
        emit_call();
        statement(0);
    }
}

static void print_end(void)
{
    unsigned first = size == SMALL_SIZE && program.n_vars > 3 ? program.n_vars - 3 : 0;

    if (one_in(size == SMALL_SIZE ? 8 : 3)) {
        emit_alloca();
    }
    for (unsigned i = first; i < program.n_vars; i++) {
        note_var(&program.vars[i]);
    }
}

static void print_function(unsigned index)
{
    const Function *function = &program.functions[index];

    program.current = index;
    program.n_vars = 0;
    print_head(function, linkage_of(function->kind), function_name(index));
    printf("\n{\n");
    program.indent = 1;
    take_parameters(function);
    line("if (!burn()) {");
    line("    shared++;");
    print_return(function);
    line("}");
    if (function->kind == MIXED) {
        line("if (cpc_in_coroutine()) {");
    } else if (function->kind == VARIADIC) {
        take_variadic(function);
    }
    print_declarations();
    print_statements();
    print_end();
    print_return(function);
    if (function->kind == MIXED) {
        line("}");
        program.n_vars = function->n_params;
        line("note(%s);", number());
        print_return(function);
    }
    program.indent = 0;
    printf("}\n\n");
}

/* --- the program ------------------------------------------------------------------------- */

static const char prelude[] =
    "#include <cpc/coroutine.h>\n"
    "#include <inttypes.h>\n"
    "#include <stdarg.h>\n"
    "#include <stdio.h>\n\n"
    "#define alloca __builtin_alloca\n\n"
    "struct small { uint64_t a; uint32_t b; unsigned c : 5; unsigned d : 3; };\n"
    "struct floats { float x; double y; };\n"
    "struct large { uint64_t many[6]; struct small inner; uint8_t odd[3]; };\n"
    "union mix { uint64_t whole; uint8_t bytes[8]; double real; };\n"
    "typedef uint32_t vector __attribute__((vector_size(32)));\n\n"
    "static uint64_t hash, shared;\n"
    "static _Thread_local uint64_t per_thread;\n"
    "static unsigned fuel;\n"
    "static unsigned burn(void) { return fuel ? fuel-- : 0; }\n"
    "__attribute__((noinline)) static void note(uint64_t x)\n"
    "{ hash = (hash ^ x) * 0x100000001b3; hash ^= hash >> 29; }\n"
    "static void note_at_end(uint64_t *x) { note(*x); }\n"
    "static uint64_t *volatile kept;\n"
    "__attribute__((noinline)) static uint64_t *keep(uint64_t *x)\n"
    "{ kept = x; return kept; }\n"
    "__attribute__((noinline)) static struct large make_large(uint64_t x)\n"
    "{ return (struct large){ { x, x + 1, x * 2, 4, x ^ 5, 6 }, { x, 2, 3, 4 },\n"
    "                         { 1, 2, 3 } }; }\n"
    "__attribute__((noinline)) static vector make_vector(uint32_t x)\n"
    "{ return (vector){ x, x + 1, x * 3, 4, 5, 6, x ^ 7, 8 }; }\n"
    "static void plain_0(uint64_t *p, unsigned n) { *p += n; note(*p); }\n"
    "__attribute__((noinline)) static void plain_1(uint64_t *p, unsigned n)\n"
    "{ uint64_t old[4] = { *p, n, 1, 2 }; *p ^= old[n % 4]; shared += n; }\n"
    "static void plain_2(uint64_t *p, unsigned n)\n"
    "{ uint8_t some[n + 1]; some[n] = (uint8_t)*p; *keep(p) = some[n] * 3u; }\n"
    "static struct large *large_to_set;\n"
    "static struct small *small_to_set;\n"
    "static void set_large_later(struct large *one) { large_to_set = one; }\n"
    "static void set_small_later(struct small *one) { small_to_set = one; }\n"
    "static void forget(void) { large_to_set = 0; small_to_set = 0; }\n"
    "__attribute__((noinline)) static void set_now(uint64_t x)\n"
    "{ if (large_to_set) { large_to_set->many[x % 6] ^= x; large_to_set->inner.b++; }\n"
    "  if (small_to_set) { small_to_set->a += x; small_to_set->c ^= 3; } }\n"
    "struct inner { uint64_t in, out; int is_done; };\n"
    "static void coroutine_fn inner(void *opaque)\n"
    "{\n"
    "    struct inner *self = opaque;\n"
    "    uint64_t local[3] = { self->in, 2, 3 };\n"
    "    for (unsigned i = 0; i < 3; i++) {\n"
    "        plain_0(&local[i], i);\n"
    "        cpc_yield();\n"
    "        self->out += local[i];\n"
    "    }\n"
    "    self->is_done = 1;\n"
    "}\n"
    "struct run { void coroutine_fn (*first)(unsigned i); unsigned n, left; };\n"
    "static void coroutine_fn entry(void *opaque)\n"
    "{\n"
    "    struct run *run = opaque;\n"
    "    cpc_yield();\n"
    "    run->first(run->left);\n"
    "    run->left = 0;\n"
    "}\n"
    "static void begin_program(void)\n"
    "{ hash = 0xcbf29ce484222325; shared = 0; per_thread = 0; fuel = 400; forget(); }\n"
    "static void run_program(void coroutine_fn (*first)(unsigned i), unsigned n)\n"
    "{\n"
    "    struct run runs[3];\n"
    "    Coroutine *co[3];\n"
    "    for (unsigned i = 0; i < n; i++) {\n"
    "        runs[i] = (struct run){ first, i, i + 1 };\n"
    "        co[i] = cpc_create(entry, &runs[i]);\n"
    "    }\n"
    "    for (unsigned any = 1; any;) {\n"
    "        any = 0;\n"
    "        for (unsigned i = 0; i < n; i++) {\n"
    "            if (runs[i].left) {\n"
    "                note(i);\n"
    "                cpc_enter(co[i]);\n"
    "                any |= runs[i].left;\n"
    "            }\n"
    "        }\n"
    "    }\n"
    "}\n"
    "static void end_program(unsigned long long seed)\n"
    "{ printf(\"%llu %016\" PRIx64 \" %u\\n\", seed, hash ^ shared, fuel); }\n\n";

static void print_run(void)
{
    printf("static void run_%llu(void)\n{\n    begin_program();\n", seed);
    printf("    run_program(%s, %u);\n", function_name(0), 2 + below(2));
    program.n_vars = 0;
    program.indent = 1;
    for (unsigned i = 1; i < program.n_functions; i++) {
        if (program.functions[i].kind == MIXED) {
            printf("    %s(", function_name(i));
            print_arguments(&program.functions[i]);
            printf(");\n");
        }
    }
    printf("    end_program(%llu);\n}\n\n", seed);
}

static void print_program(void)
{
    program = (Program){ .seed = seed };
    program.n_functions = size == SMALL_SIZE    ? 2
                          : size == MEDIUM_SIZE ? 2 + below(3)
                                                : MAX_FUNCTIONS;
    for (unsigned i = 0; i < program.n_functions; i++) {
        choose_function(&program.functions[i]);
    }
    program.functions[0] = (Function){
        .kind = COROUTINE, .result = NONE, .params = { U32 }, .n_params = 1
    };

    printf("/* --- %llu */\n\n", seed);
    for (unsigned i = 0; i < program.n_functions; i++) {
        declare_function(i);
    }
    printf("\n");
    for (unsigned i = 0; i < program.n_functions; i++) {
        print_function(i);
    }
    print_run();
}

int main(int argc, char **argv)
{
    if (argc < 3 || argc > 4) {
        fprintf(stderr, "usage: %s FIRST N [SIZE]\n", argv[0]);
        return 2;
    }
    unsigned long long first = strtoull(argv[1], NULL, 0),
                       n = strtoull(argv[2], NULL, 0);

    size = argc == 3 || strcmp(argv[3], "medium") == 0 ? MEDIUM_SIZE
           : strcmp(argv[3], "large") == 0             ? LARGE_SIZE
                                                       : SMALL_SIZE;
    fputs(prelude, stdout);
    for (seed = first; seed < first + n; seed++) {
        print_program();
    }
    printf("int main(void)\n{\n");
    for (seed = first; seed < first + n; seed++) {
        printf("    run_%llu();\n", seed);
    }
    printf("    return 0;\n}\n");
    return 0;
}
