/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "objects.h"

#include "record.h"

#include <gio/gio.h>
#include <llvm-c/BitReader.h>
#include <llvm-c/Core.h>
#include <llvm-c/Object.h>
#include <string.h>

#define ARCHIVE_MAGIC "!<arch>\n"
#define THIN_MAGIC    "!<thin>\n"
#define MAGIC_SIZE    8
#define BITCODE_MAGIC "BC\300\336"

/* ar(5): 60 bytes of text. */
typedef struct {
    char name[16];
    char unused[32];
    char size[10];
    char end[2];
} ArchiveMember;

typedef struct {
    const char *path;
    CocheckRows *take;
    void *opaque;
} Reader;

/* --- one object ------------------------------------------------------------------------ */

static void take_section(const Reader *reader, LLVMSectionIteratorRef section)
{
    const char *name = LLVMGetSectionName(section);

    if (name && strcmp(name, COCHECK_SECTION) == 0) {
        g_autofree char *rows =
            g_strndup(LLVMGetSectionContents(section), LLVMGetSectionSize(section));
        reader->take(rows, reader->opaque);
    }
}

static gboolean read_native(const Reader *reader, LLVMMemoryBufferRef buffer,
                            GError **error)
{
    char *why = NULL;
    LLVMBinaryRef binary = LLVMCreateBinary(buffer, NULL, &why);

    if (!binary) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "'%s' is no object: %s",
                    reader->path, why);
        LLVMDisposeMessage(why);
        return FALSE;
    }
    LLVMSectionIteratorRef section = LLVMObjectFileCopySectionIterator(binary);
    while (section && !LLVMObjectFileIsSectionIteratorAtEnd(binary, section)) {
        take_section(reader, section);
        LLVMMoveToNextSection(section);
    }
    if (section) {
        LLVMDisposeSectionIterator(section);
    }
    LLVMDisposeBinary(binary);
    return TRUE;
}

static void take_variable(const Reader *reader, LLVMValueRef variable)
{
    const char *section = LLVMGetSection(variable);
    LLVMValueRef data = LLVMGetInitializer(variable);
    size_t size;

    if (section && strcmp(section, COCHECK_SECTION) == 0 && data &&
        LLVMIsAConstantDataSequential(data) && LLVMIsConstantString(data)) {
        const char *bytes = LLVMGetAsString(data, &size);
        g_autofree char *rows = g_strndup(bytes, size);
        reader->take(rows, reader->opaque);
    }
}

/* -flto: what will be a section is a variable still. */
static gboolean read_bitcode(const Reader *reader, LLVMMemoryBufferRef buffer,
                             GError **error)
{
    LLVMContextRef context = LLVMContextCreate();
    LLVMModuleRef module = NULL;
    gboolean is_fine = !LLVMParseBitcodeInContext2(context, buffer, &module);

    if (is_fine) {
        LLVMValueRef at = LLVMGetFirstGlobal(module);
        for (; at; at = LLVMGetNextGlobal(at)) {
            take_variable(reader, at);
        }
        LLVMDisposeModule(module);
    } else {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "'%s' is no bitcode",
                    reader->path);
    }
    LLVMContextDispose(context);
    return is_fine;
}

static gboolean is_bitcode(const char *bytes, gsize size)
{
    return size > 4 && memcmp(bytes, BITCODE_MAGIC, 4) == 0;
}

static gboolean is_object(const char *bytes, gsize size)
{
    return size > 20 &&
           (is_bitcode(bytes, size) || memcmp(bytes, "\177ELF", 4) == 0 || /* ELF */
            memcmp(bytes, "\0asm", 4) == 0 ||
            memcmp(bytes, "\x64\x86", 2) == 0 || /* COFF, x86-64 */
            memcmp(bytes, "\x4c\x01", 2) == 0);
}

static gboolean read_bytes(const Reader *reader, const char *bytes, gsize size,
                           GError **error)
{
    LLVMMemoryBufferRef buffer =
        LLVMCreateMemoryBufferWithMemoryRangeCopy(bytes, size, reader->path);
    gboolean is_fine = is_bitcode(bytes, size) ? read_bitcode(reader, buffer, error)
                                               : read_native(reader, buffer, error);

    LLVMDisposeMemoryBuffer(buffer);
    return is_fine;
}

/* --- an archive ------------------------------------------------------------------------ */

/* A thin archive holds the names of its members, each ended by a slash and a newline. */
static gboolean read_thin_member(const Reader *reader, const ArchiveMember *member,
                                 const char *names, gsize names_size, GError **error)
{
    guint64 at = g_ascii_strtoull(member->name + 1, NULL, 10);

    if (member->name[0] != '/' || at >= names_size) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                    "'%s' names a member that it has not", reader->path);
        return FALSE;
    }
    gsize length = strcspn(names + at, "\n");
    g_autofree char *name = g_strndup(names + at, MIN(length, names_size - at));
    if (g_str_has_suffix(name, "/")) {
        name[strlen(name) - 1] = '\0';
    }
    g_autofree char *folder = g_path_get_dirname(reader->path);
    g_autofree char *path = g_path_is_absolute(name)
                                ? g_strdup(name)
                                : g_build_filename(folder, name, NULL);
    return cocheck_read_object(path, reader->take, reader->opaque, error);
}

static gboolean read_archive(const Reader *reader, const char *bytes, gsize size,
                             GError **error)
{
    gboolean is_thin = memcmp(bytes, THIN_MAGIC, MAGIC_SIZE) == 0;
    const char *names = NULL;
    gsize names_size = 0, at = MAGIC_SIZE;

    while (at + sizeof(ArchiveMember) <= size) {
        const ArchiveMember *member = (const ArchiveMember *)(bytes + at);
        g_autofree char *digits = g_strndup(member->size, sizeof(member->size));
        guint64 length = g_ascii_strtoull(digits, NULL, 10);
        const char *body = bytes + at + sizeof(ArchiveMember);
        gboolean is_names = memcmp(member->name, "// ", 3) == 0;
        gboolean is_index = memcmp(member->name, "/ ", 2) == 0 ||
                            memcmp(member->name, "/SYM64/", 7) == 0;
        gboolean is_inside = !is_thin || is_names || is_index;

        at += sizeof(ArchiveMember);
        if (is_inside && length > size - at) {
            g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "'%s' is cut off",
                        reader->path);
            return FALSE;
        }
        if (is_names) {
            names = body;
            names_size = length;
        } else if (!is_inside) {
            if (!read_thin_member(reader, member, names, names_size, error)) {
                return FALSE;
            }
        } else if (!is_index && is_object(body, length) &&
                   !read_bytes(reader, body, length, error)) {
            return FALSE;
        }
        at += is_inside ? length + length % 2 : 0;
    }
    return TRUE;
}

gboolean cocheck_read_object(const char *path, CocheckRows *take, void *opaque,
                             GError **error)
{
    Reader reader = { path, take, opaque };
    g_autofree char *bytes = NULL;
    gsize size;

    g_autoptr(GFile) file = g_file_new_for_path(path);
    if (!g_file_load_contents(file, NULL, &bytes, &size, NULL, error)) {
        return FALSE;
    }
    if (size > MAGIC_SIZE && (memcmp(bytes, ARCHIVE_MAGIC, MAGIC_SIZE) == 0 ||
                              memcmp(bytes, THIN_MAGIC, MAGIC_SIZE) == 0)) {
        return read_archive(&reader, bytes, size, error);
    }
    if (g_str_has_prefix(bytes, "unit\t")) {
        take(bytes, opaque);
        return TRUE;
    }
    return read_bytes(&reader, bytes, size, error);
}
