        // A trap from kernel code comes here, on the stack in use.
        // kerneltrap() is a C function, so it preserves the s registers by
        // itself; what C code may destroy is saved here: ra, t0-t6, a0-a7.
        // tp is left alone on purpose: kerneltrap() may yield, and the
        // thread may wake up on another hart with another tp.
.globl kernelvec
.globl kerneltrap
.balign 4                       // stvec wants its low two bits clear
kernelvec:
        addi sp, sp, -128

        sd ra, 0(sp)
        sd t0, 8(sp)
        sd t1, 16(sp)
        sd t2, 24(sp)
        sd t3, 32(sp)
        sd t4, 40(sp)
        sd t5, 48(sp)
        sd t6, 56(sp)
        sd a0, 64(sp)
        sd a1, 72(sp)
        sd a2, 80(sp)
        sd a3, 88(sp)
        sd a4, 96(sp)
        sd a5, 104(sp)
        sd a6, 112(sp)
        sd a7, 120(sp)

        call kerneltrap

        ld ra, 0(sp)
        ld t0, 8(sp)
        ld t1, 16(sp)
        ld t2, 24(sp)
        ld t3, 32(sp)
        ld t4, 40(sp)
        ld t5, 48(sp)
        ld t6, 56(sp)
        ld a0, 64(sp)
        ld a1, 72(sp)
        ld a2, 80(sp)
        ld a3, 88(sp)
        ld a4, 96(sp)
        ld a5, 104(sp)
        ld a6, 112(sp)
        ld a7, 120(sp)

        addi sp, sp, 128
        sret                    // back to the interrupted instruction
