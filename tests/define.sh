#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What is defined is kept as it was written; what is wrong is refused with its line, and
# changes nothing.
. "$(dirname "$0")/lib.sh"

mkdir folder
cat >folder/web.guest <<'END'
# The shop's web server
[guest]
name = web
memory = 2G

[disk.root]
# Kept for the auditors
file = root image.qcow2
END

expect 0 "$OSTLER" define folder/web.guest
is out "Guest 'web' defined from folder/web.guest; to start it: ostler start web"
expect 0 "$OSTLER" dump-definition web
sed "s|= root image|= $tmp/folder/root image|" folder/web.guest >expected
is out "$(cat expected)"

# The same again is no error, and another text replaces the first.
sed 's/2G/3G/' folder/web.guest >folder/web2.guest
expect 0 "$OSTLER" define folder/web2.guest
is out "Guest 'web' changed, as folder/web2.guest has it"
expect 0 "$OSTLER" dumpxml web
says out 'memory = 3G'

# A wrong one is refused, whole.
printf '[guest]\nname = web\nmemroy = 4G\n' >wrong.guest
expect 5 "$OSTLER" define wrong.guest
is err "error: wrong.guest:3: Unknown key 'memroy' in [guest]; did you mean 'memory'?"
expect 0 "$OSTLER" dump-definition web
says out 'memory = 3G'
expect 5 "$OSTLER" define --check wrong.guest
expect 0 "$OSTLER" define --check folder/web.guest
is out 'folder/web.guest is fine'

# A file may name its guest, --name goes before both, and standard input has no name.
printf '[guest]\nmemory = 1G\n' >mail.guest
expect 0 "$OSTLER" define mail.guest
is out "Guest 'mail' defined from mail.guest; to start it: ostler start mail"
expect 0 "$OSTLER" dump-definition mail
says out 'name = mail'
expect 0 "$OSTLER" define --name mail-2 mail.guest
says out "Guest 'mail-2' defined"
expect 0 "$OSTLER" --json define --name mail-2 folder/web.guest
is out '{"name":"mail-2","new":false}'
expect 5 "$OSTLER" define - <mail.guest
is err "error: standard input:1: [guest] needs 'name'"
expect 0 "$OSTLER" define --name mail - <mail.guest
expect 5 "$OSTLER" define --name ../mail mail.guest
expect 0 "$OSTLER" undefine mail
expect 0 "$OSTLER" undefine mail-2

# So is what is no definition at all.
expect 1 "$OSTLER" define no-such-file
says err "Cannot open 'no-such-file'"
printf '\000' >wrong.guest
expect 5 "$OSTLER" define wrong.guest
head -c 2000000 /dev/zero | tr '\0' '\n' >wrong.guest
expect 5 "$OSTLER" define wrong.guest
says err 'Longer than 1048576 bytes'
printf '[guest]\nname = ../../etc\n' >wrong.guest
expect 5 "$OSTLER" define wrong.guest
says err "cannot be a guest's name"

# Names are anybody's.
for name in 'Web Server 2' 'Bücherei' '日本' "it's \$HOME" '100%'; do
    printf '[guest]\nname = %s\n' "$name" | expect 0 "$OSTLER" define -
    expect 0 "$OSTLER" domstate "$name"
    is out 'shut off'
done
expect 0 "$OSTLER" list --all --name
is out "100%
Bücherei
Web Server 2
it's \$HOME
web
日本"
expect 0 "$OSTLER" undefine 'Web Server 2'
is out "Guest 'Web Server 2' has been undefined"

expect 3 "$OSTLER" undefine 'Web Server 2'
expect 3 "$OSTLER" dump-definition wbe
is err "error: No guest is named 'wbe'; did you mean 'web'?"

# One that became wrong on disk is listed, shown and can be undefined.
printf 'nonsense\n' >"$OSTLER_HOME/config/web/guest.conf"
expect 0 "$OSTLER" list --all
says out web
expect 0 "$OSTLER" dump-definition web
is out nonsense
expect 5 "$OSTLER" dump-definition --json web
expect 0 "$OSTLER" undefine web
