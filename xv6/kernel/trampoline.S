        // The way from user space into the kernel and back. Both halves
        // change satp while they run, so this page is mapped at the same
        // virtual address (TRAMPOLINE) in every page table.
        // Offsets are those of struct trapframe (proc.h).

#include "riscv.h"
#include "memlayout.h"

.section trampsec
.globl trampoline
.globl uservec
.globl userret

.balign 4                       // stvec wants its low two bits clear
trampoline:
uservec:
        // A trap from user space comes here: supervisor mode, but still
        // the user's page table and the user's value in every register.
        // sscratch holds TRAPFRAME (userret left it there). Trade it for
        // a0, to have one register to work with.
        csrrw a0, sscratch, a0

        sd ra, 40(a0)
        sd sp, 48(a0)
        sd gp, 56(a0)
        sd tp, 64(a0)
        sd t0, 72(a0)
        sd t1, 80(a0)
        sd t2, 88(a0)
        sd s0, 96(a0)
        sd s1, 104(a0)
        sd a1, 120(a0)
        sd a2, 128(a0)
        sd a3, 136(a0)
        sd a4, 144(a0)
        sd a5, 152(a0)
        sd a6, 160(a0)
        sd a7, 168(a0)
        sd s2, 176(a0)
        sd s3, 184(a0)
        sd s4, 192(a0)
        sd s5, 200(a0)
        sd s6, 208(a0)
        sd s7, 216(a0)
        sd s8, 224(a0)
        sd s9, 232(a0)
        sd s10, 240(a0)
        sd s11, 248(a0)
        sd t3, 256(a0)
        sd t4, 264(a0)
        sd t5, 272(a0)
        sd t6, 280(a0)

        csrr t0, sscratch       // the user's a0
        sd t0, 112(a0)

        ld sp, 8(a0)            // this process's kernel stack
        ld tp, 32(a0)           // this hart's number
        ld t0, 16(a0)           // usertrap
        ld t1, 0(a0)            // the kernel page table

        // The fence before the switch orders the stores above against it;
        // the one after drops the user's cached translations.
        sfence.vma zero, zero
        csrw satp, t1
        sfence.vma zero, zero

        jr t0                   // does not come back: see usertrapret()

userret:
        // userret(satp): usertrapret() ends here, with a0 = satp of the
        // user's page table. Load the user's registers and drop to it.
        sfence.vma zero, zero
        csrw satp, a0
        sfence.vma zero, zero

        li a0, TRAPFRAME
        csrw sscratch, a0       // for the next uservec

        ld ra, 40(a0)
        ld sp, 48(a0)
        ld gp, 56(a0)
        ld tp, 64(a0)
        ld t0, 72(a0)
        ld t1, 80(a0)
        ld t2, 88(a0)
        ld s0, 96(a0)
        ld s1, 104(a0)
        ld a1, 120(a0)
        ld a2, 128(a0)
        ld a3, 136(a0)
        ld a4, 144(a0)
        ld a5, 152(a0)
        ld a6, 160(a0)
        ld a7, 168(a0)
        ld s2, 176(a0)
        ld s3, 184(a0)
        ld s4, 192(a0)
        ld s5, 200(a0)
        ld s6, 208(a0)
        ld s7, 216(a0)
        ld s8, 224(a0)
        ld s9, 232(a0)
        ld s10, 240(a0)
        ld s11, 248(a0)
        ld t3, 256(a0)
        ld t4, 264(a0)
        ld t5, 272(a0)
        ld t6, 280(a0)
        ld a0, 112(a0)          // last, since a0 is the base

        sret                    // to sepc, in the mode that sstatus says
