#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Import prints a definition that can be defined, and names what it could not carry.
. "$(dirname "$0")/lib.sh"

cat >old.xml <<'END'
<domain type='kvm'>
  <name>old</name>
  <memory unit='GiB'>2</memory>
  <vcpu>2</vcpu>
  <os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type></os>
  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2'/>
      <source file='/srv/old.qcow2'/>
      <target dev='vda' bus='virtio'/>
    </disk>
    <hovercraft eels='yes'/>
  </devices>
</domain>
END
"$OSTLER" import old.xml >old.guest 2>err || skip "this build has no libxml2"
says old.guest 'file = /srv/old.qcow2'
says err 'old.xml:12: /domain/devices/hovercraft: not carried: <hovercraft eels="yes"/>'
says err 'more have no meaning here; --all names them'
expect 0 "$OSTLER" import --all old.xml
says err 'old.xml:8: /domain/devices/disk/driver/@name: not needed: qemu'
expect 0 "$OSTLER" define old.guest

expect 0 "$OSTLER" undefine old
expect 0 "$OSTLER" import --define old.xml
is out "Guest 'old' defined from old.xml"
expect 0 "$OSTLER" dump-definition old
is out "$(cat old.guest)"
expect 0 "$OSTLER" import - <old.xml
is out "$(cat old.guest)"

printf '<domain>' >old.xml
expect 5 "$OSTLER" import old.xml
says err 'old.xml:1'
