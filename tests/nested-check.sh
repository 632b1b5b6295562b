#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# 'ostler nested check' says in plain words whether guests may have guests here, also
# where KVM is absent, and what to do about it.
. "$(dirname "$0")/lib.sh"

# A host as /proc, /sys and /dev show it: FLAGS, then "NAME=VALUE" of its KVM module.
make_host() {
    rm -rf host
    mkdir -p host/proc host/dev
    printf 'model name\t: A CPU\nflags\t\t: fpu %s sse\n' "$1" >host/proc/cpuinfo
    module=$2
    shift 2
    for setting; do
        mkdir -p "host/sys/module/$module/parameters"
        echo "${setting#*=}" >"host/sys/module/$module/parameters/${setting%%=*}"
    done
}
check() {
    expect "$1" "$OSTLER_NESTED" check --root host
}

make_host '' none
check 1
says out 'without VT-x or AMD-V'
says out 'cannot run here'

make_host hypervisor none
check 1
says out 'this is a virtual machine whose host lends it none'

make_host vmx kvm_intel nested=Y
check 77
says out 'with VT-x'
says out '/dev/kvm is not there: load the module'
says out 'cannot be tried here'

make_host svm kvm_amd nested=0
: >host/dev/kvm
check 1
says out "options kvm_amd nested=1"

make_host vmx kvm_intel nested=N ept=N
: >host/dev/kvm
mkdir -p host/sys/devices/system/cpu/vulnerabilities
echo 'Mitigation: PTE Inversion; VMX: vulnerable' \
    >host/sys/devices/system/cpu/vulnerabilities/l1tf
echo 'Not affected' >host/sys/devices/system/cpu/vulnerabilities/mds
check 1
says out 'ept=N: nested guests are slow'
says out "l1tf: the kernel says 'Mitigation: PTE Inversion; VMX: vulnerable'"
refute grep -q mds out
expect 1 "$OSTLER_NESTED" check --json --root host
says out '"answer":"not"'
says out '"topic":"Setting","weight":"note"'

# The command of every day passes the answer on, whatever this host is.
"$OSTLER" nested check >out 2>err || [ $? = 1 ] || fail "ended with $?"
says out 'Processor '
"$OSTLER" --json nested check >out 2>err || [ $? = 1 ] || fail "ended with $?"
says out '"answer":'
expect 2 "$OSTLER" nested chek
says err "did you mean 'ostler nested check'"
