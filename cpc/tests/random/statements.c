/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "random.h"

#include <stdio.h>

static void block(unsigned depth);

/* --- calls ----------------------------------------------------------------------------- */

void print_arguments(const Function *function)
{
    if (function->kind == VARIADIC) {
        printf("%u", function->n_params);
    }
    for (unsigned i = 0; i < function->n_params; i++) {
        const char *value = argument(function->params[i]);
        printf("%s%s", i || function->kind == VARIADIC ? ", " : "", value);
    }
}

/* By its name, or by a pointer that the optimiser does not see through. */
static const char *called(unsigned callee)
{
    Kind kind = program.functions[callee].kind;

    if (kind == VARIADIC || kind == ALWAYS_INLINE || !one_in(3)) {
        return function_name(callee);
    }
    return text("(*to_%s)", function_name(callee));
}

static void emit_call_of(unsigned callee)
{
    const Function *function = &program.functions[callee];
    bool is_kept = function->result != NONE && has_room_for_vars();
    Var *var = is_kept ? add_var(function->result, "r") : NULL;

    printf("%*s", (int)program.indent * 4, "");
    if (var) {
        printf("%s %s = ", type_names[var->type], var->name);
        program.n_vars--; /* not yet */
    }
    printf("%s(", called(callee));
    print_arguments(function);
    printf(");\n");
    if (var) {
        program.n_vars++;
        note_var(var);
    }
}

/* Not too deep: a stack is what the other backend has. */
static void emit_recursion(void)
{
    unsigned before = program.n_vars;

    line("if (depth_%s++ < 20) {", function_name(program.current));
    emit_call_of(program.current);
    line("}");
    line("depth_%s--;", function_name(program.current));
    program.n_vars = before;
}

void emit_call(void)
{
    unsigned next = program.current + 1;
    bool can_recurse =
        program.current > 0 && program.functions[program.current].kind != ALWAYS_INLINE;

    if (can_recurse && one_in(6)) {
        emit_recursion();
    } else if (next < program.n_functions) {
        emit_call_of(next + below(program.n_functions - next));
    } else {
        line("cpc_yield();");
    }
}

/* A coroutine that is created, entered and waited for inside of this one. */
static void emit_inner_coroutine(void)
{
    unsigned name = program.n_names++;

    line("struct inner in%u = { %s, 0, 0 };", name, number());
    line("Coroutine *co%u = cpc_create(inner, &in%u);", name, name);
    line("while (!in%u.is_done) {", name);
    line("    cpc_enter(co%u);", name);
    if (one_in(2)) {
        line("    cpc_yield();");
    }
    line("}");
    line("note(in%u.out);", name);
}

/* --- variables --------------------------------------------------------------------------- */

static void emit_assignment(void)
{
    if (program.n_vars == 0) {
        return;
    }
    Var *var = &program.vars[below(program.n_vars)];

    if (var->type == POINTER) {
        line("*%s += %s;", var->name, number());
    } else {
        line("%s = %s;", var->name, value_of(var->type));
    }
}

static void emit_field(void)
{
    Var *var = find_var(one_in(3) ? MIX : LARGE);

    if (!var) {
        return;
    }
    if (var->type == MIX) {
        line("%s.bytes[%s %% 8] ^= (uint8_t)%s;", var->name, number(), number());
    } else {
        line("%s.many[%s %% 6] ^= %s;", var->name, number(), number());
        line("%s.inner.c = %s & 15;", var->name, number());
    }
}

static void emit_address(void)
{
    Var *var = find_var(U64);

    if (var) {
        unsigned name = program.n_names++;
        line("uint64_t *held_%u = keep(&%s);", name, var->name);
        line("cpc_yield();");
        line("*held_%u += %u; note(%s);", name, below(50), var->name);
    }
}

/* Others write to it while this one waits, through an address that they were given. */
static void emit_setter(void)
{
    Var *var = find_var(one_in(2) ? LARGE : SMALL);

    if (!var) {
        return;
    }
    line("set_%s_later(&%s);", var->type == LARGE ? "large" : "small", var->name);
    line("cpc_yield();");
    line("set_now(%s);", number());
    note_var(var);
    line("forget();");
}

static void emit_plain(void)
{
    line("plain_%u(%s, %u);", below(N_PLAIN), argument(POINTER), below(50));
}

void emit_alloca(void)
{
    unsigned name = program.n_names++;

    line("uint32_t *m%u = alloca(%u);", name, 4 + below(200));
    line("*m%u = (uint32_t)%s;", name, number());
    line("cpc_yield();");
    line("note(*m%u);", name);
}

static void emit_thread_local(void)
{
    line("per_thread += %s; cpc_yield(); note(per_thread);", number());
}

static void emit_statement_expression(void)
{
    line("note(({ uint64_t t = %s; cpc_yield(); t * 3; }));", number());
}

/* --- control ----------------------------------------------------------------------------- */

static void emit_if(unsigned depth)
{
    line("if (%s & %u) {", number(), 1u << below(3));
    block(depth);
    if (one_in(2)) {
        line("} else {");
        block(depth);
    }
    line("}");
}

static void emit_for(unsigned depth)
{
    unsigned name = program.n_names++;

    line("for (unsigned i%u = 0; i%u < %u && burn(); i%u++) {", name, name,
         1 + below(5), name);
    block(depth);
    if (one_in(3)) {
        line("    if (i%u == %u) %s;", name, below(4),
             one_in(2) ? "break" : "continue");
    }
    line("    note(i%u);", name);
    line("}");
}

static void emit_switch(unsigned depth)
{
    line("switch (%s %% 4) {", number());
    for (unsigned i = 0; i < 3; i++) {
        line("case %u: {", i);
        block(depth);
        line("}%s", one_in(3) ? " /* fall through */" : " break;");
    }
    line("default: note(%u);", below(100));
    line("}");
}

static void emit_goto(unsigned depth)
{
    unsigned label = program.n_labels++;

    line("again_%u:", label);
    line("note(%u);", label);
    line("{");
    block(depth);
    line("}");
    line("if (burn() && (%s & 3) == 1) goto again_%u;", number(), label);
}

/* Out of two blocks at once, past a cleanup or not. */
static void emit_goto_out(unsigned depth)
{
    unsigned label = program.n_labels++;

    line("do {");
    block(depth);
    line("    if (%s & 1) goto out_%u;", number(), label);
    block(depth);
    line("} while (burn() && (%s & 3) == 2);", number());
    line("out_%u: note(%u);", label, label);
}

static void emit_array(unsigned depth)
{
    unsigned name = program.n_names++;

    line("{");
    program.indent++;
    line("unsigned n%u = 1 + (unsigned)(%s %% 40);", name, number());
    line("uint64_t a%u[n%u];", name, name);
    line("for (unsigned k = 0; k < n%u; k++) a%u[k] = k * %uu;", name, name, below(99));
    line("uint64_t *e%u = &a%u[%s %% n%u];", name, name, number(), name);
    block(depth);
    line("plain_0(e%u, %u);", name, below(9));
    line("for (unsigned k = 0; k < n%u; k++) note(a%u[k]);", name, name);
    program.indent--;
    line("}");
}

static void emit_cleanup(unsigned depth)
{
    line("{");
    program.indent++;
    line("__attribute__((cleanup(note_at_end))) uint64_t c%u = %s;", program.n_names++,
         number());
    block(depth);
    program.indent--;
    line("}");
}

/* --- which -------------------------------------------------------------------------------- */

static void emit_yield(void)
{
    line("cpc_yield();");
}

static void emit_declaration(void)
{
    declare_var(below(N_TYPES));
}

typedef void Emit(void);
typedef void EmitBlock(unsigned depth);

/* Often is written twice. */
static Emit *const simple[] = {
    emit_yield,
    emit_yield,
    emit_call,
    emit_call,
    emit_declaration,
    emit_field,
    emit_address,
    emit_plain,
    emit_assignment,
    emit_assignment,
    emit_setter,
    emit_thread_local,
    emit_statement_expression,
    emit_inner_coroutine,
};

static EmitBlock *const with_blocks[] = {
    emit_if,   emit_for,      emit_for,   emit_switch,
    emit_goto, emit_goto_out, emit_array, emit_cleanup,
};

#define N(array) (sizeof(array) / sizeof(*(array)))

void statement(unsigned depth)
{
    unsigned n = N(simple) + (depth > 0 ? N(with_blocks) : 0);
    unsigned choice = below(n);

    if (choice < N(simple)) {
        simple[choice]();
    } else {
        with_blocks[choice - N(simple)](depth - 1);
    }
}

/* Its variables are gone at its end. */
static void block(unsigned depth)
{
    unsigned before = program.n_vars;

    program.indent++;
    for (unsigned n = 1 + below(depth > 0 ? 4 : 2); n > 0; n--) {
        statement(depth);
    }
    program.indent--;
    program.n_vars = before;
}
