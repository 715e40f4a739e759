# The first user code of all. userinit() copies its bytes (initcode[] in
# kernel/proc.c) to address 0 of process 1, which runs exec("/init") and
# is that program from then on. If exec fails there is nothing to do but
# to exit, and the kernel panics about it.

#include "kernel/syscall.h"

.globl start
start:
        li a7, SYS_exec
        la a0, path
        la a1, arguments
        ecall

        li a7, SYS_exit         # exec has failed: there is no /init
        ecall

.p2align 3
arguments:
        .quad path
        .quad 0
path:
        .string "/init"
