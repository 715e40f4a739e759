        // The way from user space into the kernel and back. Both halves
        // change satp while they run, so this page is mapped at the same
        // virtual address (TRAMPOLINE) in every page table.

#include "riscv.h"
#include "memlayout.h"

// Saves (op = sd) or loads (op = ld) every register of the user but a0,
// which holds the address of the trap frame meanwhile. The offsets, here
// and below, are those of struct trapframe (proc.h).
.macro user_registers op
        \op ra, 40(a0)
        \op sp, 48(a0)
        \op gp, 56(a0)
        \op tp, 64(a0)
        \op t0, 72(a0)
        \op t1, 80(a0)
        \op t2, 88(a0)
        \op s0, 96(a0)
        \op s1, 104(a0)
        \op a1, 120(a0)
        \op a2, 128(a0)
        \op a3, 136(a0)
        \op a4, 144(a0)
        \op a5, 152(a0)
        \op a6, 160(a0)
        \op a7, 168(a0)
        \op s2, 176(a0)
        \op s3, 184(a0)
        \op s4, 192(a0)
        \op s5, 200(a0)
        \op s6, 208(a0)
        \op s7, 216(a0)
        \op s8, 224(a0)
        \op s9, 232(a0)
        \op s10, 240(a0)
        \op s11, 248(a0)
        \op t3, 256(a0)
        \op t4, 264(a0)
        \op t5, 272(a0)
        \op t6, 280(a0)
.endm

// Changes to another page table. The fence before it orders the stores
// above against the switch; the one after drops the translations of the
// old table that the hart remembers.
.macro switch_to satp_value
        sfence.vma
        csrw satp, \satp_value
        sfence.vma
.endm

.section trampsec, "ax"
.globl trampoline, uservec, userret

.balign 4                       // stvec wants its low two bits clear
trampoline:
uservec:
        // A trap from user space comes here: supervisor mode, but still
        // the user's page table and the user's value in every register.
        // sscratch holds TRAPFRAME (userret left it there). Trade it for
        // a0, to have one register to work with.
        csrrw a0, sscratch, a0

        user_registers sd

        csrr s0, sscratch       // s0 is saved, so it is free; and this is
        sd s0, 112(a0)          // the user's a0

        ld tp, 32(a0)           // this hart's number
        ld sp, 8(a0)            // this process's kernel stack
        ld s1, 16(a0)           // usertrap
        ld s0, 0(a0)            // the kernel page table
        switch_to s0

        jr s1                   // does not come back: see usertrapret()

userret:
        // userret(satp): usertrapret() ends here, with a0 = satp of the
        // user's page table. Load the user's registers and drop to it.
        switch_to a0

        li a0, TRAPFRAME
        csrw sscratch, a0       // for the next uservec

        user_registers ld
        ld a0, 112(a0)          // last, since a0 is the base

        sret                    // to sepc, in the mode that sstatus says
