        // A trap from kernel code comes here, on the stack in use.
        // kerneltrap() is a C function, so it preserves the s registers by
        // itself; what C code may destroy is saved here: ra, t0-t6, a0-a7.
        // tp is left alone on purpose: kerneltrap() may yield, and the
        // thread may wake up on another hart with another tp.

.macro caller_saved op
        \op ra, 0(sp)
        \op t0, 8(sp)
        \op t1, 16(sp)
        \op t2, 24(sp)
        \op t3, 32(sp)
        \op t4, 40(sp)
        \op t5, 48(sp)
        \op t6, 56(sp)
        \op a0, 64(sp)
        \op a1, 72(sp)
        \op a2, 80(sp)
        \op a3, 88(sp)
        \op a4, 96(sp)
        \op a5, 104(sp)
        \op a6, 112(sp)
        \op a7, 120(sp)
.endm

.globl kernelvec
.balign 4                       // stvec wants its low two bits clear
kernelvec:
        addi sp, sp, -128
        caller_saved sd
        call kerneltrap
        caller_saved ld
        addi sp, sp, 128
        sret                    // back to the interrupted instruction
