# The first user code of all. userinit() copies its bytes (initcode[] in
# kernel/proc.c) to address 0 of process 1, which runs exec("/init") and
# is that program from then on. If exec fails there is nothing to do but
# to exit, and the kernel panics about it.

#include "kernel/syscall.h"

.globl start
start:
        la a0, path
        la a1, arguments
        li a7, SYS_exec
        ecall

stuck:
        li a7, SYS_exit
        ecall
        j stuck

path:
        .string "/init"

.p2align 3
arguments:
        .quad path
        .quad 0
