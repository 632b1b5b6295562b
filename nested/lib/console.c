/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "console.h"

#include <stdarg.h>

#include "cpu.h"

#define COM1     0x3f8
#define LSR      (COM1 + 5)
#define LSR_THRE BIT(5) /* the holding register is empty */
#define LSR_TEMT BIT(6) /* and the shift register too: all is on the wire */

#define DEBUG_EXIT_PORT     0xf4
#define BOCHS_SHUTDOWN_PORT 0x8900

/* Bochs resets to 5-bit characters, so nothing may be taken for granted. */
void nested_console_init(void)
{
    cpu_out8(COM1 + 1, 0x00); /* no interrupts */
    cpu_out8(COM1 + 3, 0x80); /* divisor latch */
    cpu_out8(COM1 + 0, 0x01); /* 115200 baud */
    cpu_out8(COM1 + 1, 0x00);
    cpu_out8(COM1 + 3, 0x03); /* 8N1 */
    cpu_out8(COM1 + 2, 0x07); /* FIFO on and cleared */
    cpu_out8(COM1 + 4, 0x03); /* DTR, RTS */
}

static void wait_for(uint8_t bit)
{
    while (!(cpu_in8(LSR) & bit)) {
        __asm__ volatile("pause");
    }
}

static void put(char c)
{
    wait_for(LSR_THRE);
    cpu_out8(COM1, (uint8_t)c);
}

static void put_text(const char *text)
{
    while (*text) {
        put(*text++);
    }
}

static void put_number(uint64_t value, unsigned base, unsigned width, char fill)
{
    char digits[20];
    unsigned n = 0;

    do {
        digits[n++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value > 0);
    for (; width > n; width--) {
        put(fill);
    }
    while (n > 0) {
        put(digits[--n]);
    }
}

void nested_print(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    for (; *format; format++) {
        if (*format != '%') {
            put(*format);
            continue;
        }
        char fill = ' ';
        unsigned width = 0;
        bool is_long = false;
        if (*++format == '0') {
            fill = '0';
        }
        for (; *format >= '0' && *format <= '9'; format++) {
            width = width * 10 + (unsigned)(*format - '0');
        }
        if (*format == 'l') {
            is_long = true;
            format++;
        }
        switch (*format) {
        case 's':
            put_text(va_arg(args, const char *));
            break;
        case 'c':
            put((char)va_arg(args, int));
            break;
        case 'd': {
            int64_t value = is_long ? va_arg(args, int64_t) : va_arg(args, int);
            if (value < 0) {
                put('-');
            }
            put_number(value < 0 ? -(uint64_t)value : (uint64_t)value, 10, width, fill);
            break;
        }
        case 'u':
        case 'x':
            put_number(is_long ? va_arg(args, uint64_t) : va_arg(args, unsigned),
                       *format == 'x' ? 16 : 10, width, fill);
            break;
        default:
            put(*format);
        }
    }
    va_end(args);
}

void nested_console_flush(void)
{
    wait_for(LSR_TEMT);
}

void nested_exit(unsigned code)
{
    nested_console_flush();
    cpu_out8(DEBUG_EXIT_PORT, (uint8_t)code);
    for (const char *word = "Shutdown"; *word; word++) {
        cpu_out8(BOCHS_SHUTDOWN_PORT & 0xffff, (uint8_t)*word);
    }
    for (;;) {
        __asm__ volatile("cli; hlt");
    }
}
